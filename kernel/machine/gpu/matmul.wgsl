//! include matmul_terms
// Matrix products of any kinds and strides, an element an invocation: small ones.

fn element(r: u32, c: u32) -> u32 {
    let sums = sum_terms(r, c, 0u, p.a.cols);
    return finish_product(sums.product, sums.sum);
}
//! include pull
