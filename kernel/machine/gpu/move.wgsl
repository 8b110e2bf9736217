//! include finish
// Select, Reshape, Transpose, Beside and Below: elements move, converted where kinds differ.

// Constants of a specialised kernel: its opcode (0: as the parameters say), and 1 if the elements of
// all sources move as they are.
override OP: u32 = 0u;
override PLAIN: u32 = 0u;

const SELECT: u32 = 63u;    // ?
const RESHAPE: u32 = 114u;  // r
const TRANSPOSE: u32 = 84u; // T
const BESIDE: u32 = 44u;    // ,

// A raw element of class ``kind`` as an element of d; in pixel mode words move unchanged.
fn moved(raw: u32, kind: u32) -> u32 {
    if (PLAIN == 1u || (p.d.unit == 4u && p.d.kind == KIND_P)) {
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
    switch select(OP, p.op, OP == 0u) {
        case SELECT: { return op_select(r, c); }
        case RESHAPE: { return op_reshape(r, c); }
        case TRANSPOSE: { return op_transpose(r, c); }
        case BESIDE: { return op_beside(r, c); }
        default: { return op_below(r, c); }
    }
}

// Bytes c..c+3 of row r of a result that moves as it is.
fn four(r: u32, c: u32) -> u32 {
    if (PLAIN == 0u || OP == TRANSPOSE) {
        return four_elements(r, c);
    }
    if (OP == SELECT) {
        if (!is_run(p.b, c)) {
            return four_elements(r, c);
        }
        var mask = 0u;
        for (var k = 0u; k < 4u; k++) {
            mask |= select(0u, 0xFFu, raw_a(r, c + k) != 0u) << (8u * k);
        }
        let old = load_d(at(p.d, r, c) >> 2u);
        return (run_b(r, c) & mask) | (old & ~mask);
    }
    if (OP == RESHAPE) {
        let count = p.a.rows * p.a.cols;
        let k = (r * p.cols + c) % max(count, 1u);
        let row = k / max(p.a.cols, 1u);
        let col = k - row * p.a.cols;
        if (is_run(p.a, col)) {
            return run_a(row, col);
        }
        return four_elements(r, c);
    }
    if (OP == BESIDE) {
        if (is_run(p.a, c)) {
            return run_a(r, c);
        }
        if (c >= p.a.cols && is_run(p.b, c - p.a.cols)) {
            return run_b(r, c - p.a.cols);
        }
        return four_elements(r, c);
    }
    if (r < p.a.rows) {
        if (is_run(p.a, c)) {
            return run_a(r, c);
        }
    } else if (is_run(p.b, c)) {
        return run_b(r - p.a.rows, c);
    }
    return four_elements(r, c);
}
//! include runs pull pull_rows
