//! include matmul_finish
// The end of a large product: the sums of digits, put together and finished.  a holds the sums of
// rows of its left operand.  n[5]: the right one is bytes less 128, and the left one was cut by OFFSET
// (see matmul_pack.wgsl); n[6] .. n[12]: as n[0] .. n[6] of matmul_tiles.wgsl.

// Sums of columns of the right operand, in counts.
const SUMS: u32 = 3u;

fn element(r: u32, c: u32) -> u32 {
    let left_used = atomicLoad(&counts[0]);
    let right_used = atomicLoad(&counts[1]);
    let step = p.n[6] * p.n[7];
    let place = r * p.n[7] + c;
    var product = vec3<u32>(0u);
    var sum = vec2<u32>(0u);
    for (var left = 0u; left < p.n[11]; left++) {
        if ((left_used & (1u << left)) == 0u) {
            continue;
        }
        for (var right = 0u; right < p.n[12]; right++) {
            if ((right_used & (1u << right)) == 0u) {
                continue;
            }
            let first = (left * p.n[12] + right) * p.n[10];
            var digits = 0;
            for (var block = first; block < first + p.n[10]; block++) {
                digits += i32(scratch[block * step + place]);
            }
            product = wide_add(product, wide_shifted(digits, 8u * (left + right)));
        }
    }
    if (p.n[5] != 0u) {
        let taken = 0x808080 & ((1 << (8u * (countOneBits(left_used) - 1u))) - 1);
        let column = i32(atomicLoad(&counts[SUMS + c]));
        product = wide_add(product, wide_of(i64_mul(taken, column)));
        sum = vec2<u32>(load_a(2u * r), load_a(2u * r + 1u));
        product = wide_add(product, wide_of(i64_shl(sum, 7u)));
    }
    return finish_product(product, sum);
}
//! include pull
