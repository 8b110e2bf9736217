//! include finish conv_wide
// The n[1] slots of partial sums of a band of n[2] elements become elements of d.
// n[0]: fraction bits of the sums.

fn element(r: u32, c: u32) -> u32 {
    let number = r * p.cols + c;
    var sum = vec3<u32>(0u);
    for (var slot = 0u; slot < p.n[1]; slot++) {
        let i = 3u * (slot * p.n[2] + number);
        sum = i96_add(sum, vec3<u32>(scratch[i], scratch[i + 1u], scratch[i + 2u]));
    }
    return finish96(sum, p.n[0], p.d.kind);
}
//! include pull
