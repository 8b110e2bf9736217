//! include arith bits
// Arithmetic and bits for operands of any kinds and strides.

// Constants of a specialised kernel; 0: as the parameters say.
override OP: u32 = 0u;
override A_KIND: u32 = 0u;
override B_KIND: u32 = 0u;
override D_KIND: u32 = 0u;

fn element(r: u32, c: u32) -> u32 {
    let x = raw_a(r, c);
    let y = raw_b(r, c);
    let ka = select(A_KIND, p.a.kind, A_KIND == 0u);
    let kb = select(B_KIND, p.b.kind, B_KIND == 0u);
    let kd = select(D_KIND, p.d.kind, D_KIND == 0u);
    switch select(OP, p.op, OP == 0u) {
        case 65u: { return op_add(x, y, ka, kb, kd); }
        case 45u: { return op_subtract(x, y, ka, kb, kd); }
        case 42u: { return op_times(x, y, ka, kb, kd); }
        case 47u: { return op_divide(x, y, ka, kb, kd); }
        case 37u: { return op_modulo(x, y, ka, kb, kd); }
        case 82u: { return op_relu(x, y, ka, kb, kd); }
        case 95u: { return op_lesser(x, y, ka, kb, kd); }
        case 60u: { return op_less(x, y, ka, kb, kd); }
        case 61u: { return op_equal(x, y, ka, kb, kd); }
        case 38u: { return op_and(x, y, ka, kb, kd); }
        case 124u: { return op_or(x, y, ka, kb, kd); }
        case 94u: { return op_xor(x, y, ka, kb, kd); }
        default: { return op_shift(x, y, ka, kb, kd); }
    }
}
//! include pull
