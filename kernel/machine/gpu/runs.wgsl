// Bytes of an operand four at a time: elements c..c+3 of row r in a word, if they lie side by side
// and all are there; element by element otherwise.

// Whether elements c..c+3 of a row of an operand are bytes side by side.
fn is_run(o: Operand, c: u32) -> bool {
    return o.unit == 1u && o.col_step == 1u && c + 3u < o.cols;
}

fn run_a(r: u32, c: u32) -> u32 {
    let i = at(p.a, r, c);
    let shift = (i & 3u) * 8u;
    let low = load_a(i >> 2u) >> shift;
    if (shift == 0u) {
        return low;
    }
    return low | (load_a((i >> 2u) + 1u) << (32u - shift));
}

fn run_b(r: u32, c: u32) -> u32 {
    let i = at(p.b, r, c);
    let shift = (i & 3u) * 8u;
    let low = load_b(i >> 2u) >> shift;
    if (shift == 0u) {
        return low;
    }
    return low | (load_b((i >> 2u) + 1u) << (32u - shift));
}

// Elements c..c+3 of row r of the result, one by one.  The bound keeps compilers from making four
// copies of everything.
fn four_elements(r: u32, c: u32) -> u32 {
    let end = min(4u, p.cols - c);
    var value = 0u;
    for (var k = 0u; k < end; k++) {
        value |= (element(r, c + k) & 0xFFu) << (8u * k);
    }
    return value;
}
