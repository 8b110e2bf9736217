//! include finish
// Exact sums that an earlier dispatch left in scratch become elements of d: element (r, c) of the
// result is the 64-bit integer at words 2i and 2i+1, i = r * cols + c, over 2^n[0].  With n[1] = 1 the
// low word is stored as it is (raw words: And, Or, Xor).

fn element(r: u32, c: u32) -> u32 {
    let i = 2u * (r * p.cols + c);
    if (p.n[1] == 1u) {
        return scratch[i];
    }
    return finish64(vec2<u32>(scratch[i], scratch[i + 1u]), p.n[0], p.d.kind);
}
//! include pull
