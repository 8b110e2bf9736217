//! include matmul_terms
// Matrix products of any kinds and strides whose sums are cut into pieces: long or few ones.
// n[5]: pieces; n[6]: terms of a piece.  Scratch holds five words for each piece of each element.

const PIECE_WORDS: u32 = 5u;

@compute @workgroup_size(256)
fn sums(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear(group, groups, local);
    if (faulted() || i >= p.total) {
        return;
    }
    let count = p.rows * p.cols;
    let piece = i / count;
    let r = (i - piece * count) / p.cols;
    let c = i - piece * count - r * p.cols;
    let first = piece * p.n[6];
    let found = sum_terms(r, c, first, min(first + p.n[6], p.a.cols));
    let to = PIECE_WORDS * i;
    scratch[to] = found.product.x;
    scratch[to + 1u] = found.product.y;
    scratch[to + 2u] = found.product.z;
    scratch[to + 3u] = found.sum.x;
    scratch[to + 4u] = found.sum.y;
}

fn element(r: u32, c: u32) -> u32 {
    var product = vec3<u32>(0u);
    var sum = vec2<u32>(0u);
    let step = PIECE_WORDS * p.rows * p.cols;
    var from_word = PIECE_WORDS * (r * p.cols + c);
    for (var piece = 0u; piece < p.n[5]; piece++) {
        let i = from_word;
        product = wide_add(product, vec3<u32>(scratch[i], scratch[i + 1u], scratch[i + 2u]));
        sum = i64_add(sum, vec2<u32>(scratch[i + 3u], scratch[i + 4u]));
        from_word += step;
    }
    return finish_product(product, sum);
}
//! include pull
