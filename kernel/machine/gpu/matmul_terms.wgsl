//! include matmul_finish
// The instructions themselves: one term of the sum for element (r, c).

struct Sums {
    product: vec3<u32>, // sum of a * b, 96 bits
    sum: vec2<u32>,     // sum of a
}

fn op_matmul(r: u32, c: u32, k: u32) -> vec2<u32> {
    return i64_mul(signed_raw(raw_a(r, k)), signed_raw(raw_b(k, c)));
}

fn op_matmul_transposed(r: u32, c: u32, k: u32) -> vec2<u32> {
    return i64_mul(signed_raw(raw_a(r, k)), signed_raw(raw_b(c, k)));
}

// Row r of a meets part r mod n[7] of b's columns; n[8] is added to r, and n[9] is how wide a part is.
fn part(r: u32) -> u32 {
    return ((r + p.n[8]) % p.n[7]) * p.n[9];
}

fn op_matmul_parts(r: u32, c: u32, k: u32) -> vec2<u32> {
    return i64_mul(signed_raw(raw_a(r, k)), signed_raw(raw_b(k, part(r) + c)));
}

fn op_matmul_parts_transposed(r: u32, c: u32, k: u32) -> vec2<u32> {
    return i64_mul(signed_raw(raw_a(r, k)), signed_raw(raw_b(c, part(r) + k)));
}

const TRANSPOSED: u32 = 109u; // m
const PARTS: u32 = 88u; // X
const PARTS_TRANSPOSED: u32 = 120u; // x

// The terms k from first to before end.
fn sum_terms(r: u32, c: u32, first: u32, end: u32) -> Sums {
    var sums = Sums(vec3<u32>(0u), vec2<u32>(0u));
    for (var k = first; k < end; k++) {
        var term: vec2<u32>;
        if (p.op == TRANSPOSED) {
            term = op_matmul_transposed(r, c, k);
        } else if (p.op == PARTS) {
            term = op_matmul_parts(r, c, k);
        } else if (p.op == PARTS_TRANSPOSED) {
            term = op_matmul_parts_transposed(r, c, k);
        } else {
            term = op_matmul(r, c, k);
        }
        sums.product = wide_add(sums.product, wide_of(term));
        if ((p.n[4] & QUANTISED) != 0u) {
            sums.sum = i64_add(sums.sum, i64_of(signed_raw(raw_a(r, k))));
        }
    }
    return sums;
}
