//! include functions
// The functions for operands of any kinds and strides; the tables are bound as b.

override OP: u32 = 0u;
override A_KIND: u32 = 0u;
override D_KIND: u32 = 0u;

fn table_word(i: u32) -> u32 {
    return load_b(i);
}

fn element(r: u32, c: u32) -> u32 {
    let x = raw_a(r, c);
    let ka = select(A_KIND, p.a.kind, A_KIND == 0u);
    let kd = select(D_KIND, p.d.kind, D_KIND == 0u);
    switch select(OP, p.op, OP == 0u) {
        case 113u: { return op_square_root(x, ka, kd); }
        case 101u: { return op_exp2(x, ka, kd); }
        case 108u: { return op_log2(x, ka, kd); }
        default: { return op_sine(x, ka, kd); }
    }
}
//! include pull
