//! include finish
// Select, Reshape, Transpose, Beside and Below: elements move, converted where kinds differ.

const SELECT: u32 = 63u;    // ?
const RESHAPE: u32 = 114u;  // r
const TRANSPOSE: u32 = 84u; // T
const BESIDE: u32 = 44u;    // ,

// A raw element of class ``kind`` as an element of d; in pixel mode words move unchanged.
fn moved(raw: u32, kind: u32) -> u32 {
    if (p.d.unit == 4u && p.d.kind == KIND_P) {
        return raw;
    }
    return convert(raw, kind, p.d.kind);
}

fn moved_a(r: u32, c: u32) -> u32 {
    return moved(raw_a(r, c), p.a.kind);
}

fn moved_b(r: u32, c: u32) -> u32 {
    return moved(raw_b(r, c), p.b.kind);
}

// Operand a is the condition here, b the source.  A raw element is 0 exactly if its value is.
fn op_select(r: u32, c: u32) -> u32 {
    if (raw_a(r, c) != 0u) {
        return moved_b(r, c);
    }
    return raw_d(r, c);
}

// Row-major elements of a, again from the start when they run out; zeros if there are none.
fn op_reshape(r: u32, c: u32) -> u32 {
    let count = p.a.rows * p.a.cols;
    if (count == 0u) {
        return 0u;
    }
    let k = (r * p.cols + c) % count;
    let row = k / p.a.cols;
    return moved_a(row, k - row * p.a.cols);
}

fn op_transpose(r: u32, c: u32) -> u32 {
    return moved_a(c, r);
}

fn op_beside(r: u32, c: u32) -> u32 {
    if (c < p.a.cols) {
        return moved_a(r, c);
    }
    return moved_b(r, c - p.a.cols);
}

// A 0x0 first input leaves b alone: so it arrives where b is appended to d in place.
fn op_below(r: u32, c: u32) -> u32 {
    if (r < p.a.rows) {
        return moved_a(r, c);
    }
    return moved_b(r - p.a.rows, c);
}

fn element(r: u32, c: u32) -> u32 {
    switch p.op {
        case SELECT: { return op_select(r, c); }
        case RESHAPE: { return op_reshape(r, c); }
        case TRANSPOSE: { return op_transpose(r, c); }
        case BESIDE: { return op_beside(r, c); }
        default: { return op_below(r, c); }
    }
}
//! include pull
