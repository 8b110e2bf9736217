//! include finish conv_edges conv_wide
// Convolution of any kinds, one element after the other.  n[0]: fraction bits of the sums; n[1]:
// channels of a (4: a picture, else 1).

// The exact sum of b times the elements of a around (r, c).
fn sum_around(r: u32, c: u32, wrapped: bool) -> vec3<u32> {
    var sum = vec3<u32>(0u);
    if (p.b.cols == 0u) {
        return sum;
    }
    let x = c / p.n[1];
    let lane = c - x * p.n[1];
    let width = p.a.cols / p.n[1];
    for (var u = 0u; u < p.b.rows; u++) {
        let row = place(r + u, p.b.rows / 2u, p.a.rows, wrapped);
        for (var v = 0u; v < p.b.cols; v++) {
            let col = place(x + v, p.b.cols / 2u, width, wrapped) * p.n[1] + lane;
            sum = i96_add(sum, i96_of(i64_mul(i32(raw_a(row, col)), i32(raw_b(u, v)))));
        }
    }
    return sum;
}

fn op_konvolve(r: u32, c: u32) -> u32 {
    return finish96(sum_around(r, c, false), p.n[0], p.d.kind);
}

fn op_konvolve_wrapped(r: u32, c: u32) -> u32 {
    return finish96(sum_around(r, c, true), p.n[0], p.d.kind);
}

const KONVOLVE: u32 = 75u; // K

// The opcode in a specialised kernel; 0: as the parameters say.
override OP: u32 = 0u;

fn element(r: u32, c: u32) -> u32 {
    if (select(OP, p.op, OP == 0u) == KONVOLVE) {
        return op_konvolve(r, c);
    }
    return op_konvolve_wrapped(r, c);
}

fn four(r: u32, c: u32) -> u32 {
    return four_elements(r, c);
}
//! include runs pull pull_rows
