// The main of pull-style kernels for large results: d has the result's shape, and its rows have no
// gaps.  An invocation makes 4 words, a workgroup apart, and loads for all of them before it stores.
// A family defines element(r, c) for a d of words; for a d of bytes, whose rows start at words, it
// defines four(r, c): elements c..c+3 in a word, those beyond the edge arbitrary.
// p.row_words: words of a row; p.total: words in all.

// Whether d is of bytes.
override D_BYTES: u32 = 0u;

fn row_word(i: u32) -> u32 {
    let r = i / p.row_words;
    let w = i - r * p.row_words;
    if (D_BYTES == 1u) {
        return four(r, 4u * w);
    }
    return element(r, w);
}

fn store_row_word(i: u32, value: u32) {
    if (i >= p.total) {
        return;
    }
    let r = i / p.row_words;
    let w = i - r * p.row_words;
    if (D_BYTES == 0u) {
        store_d(p.d.offset + r * p.d.row_step + w, value);
        return;
    }
    let word = ((p.d.offset + r * p.d.row_step) >> 2u) + w;
    let left = p.d.cols - 4u * w;
    if (left >= 4u) {
        store_d(word, value);
        return;
    }
    let mask = (1u << (8u * left)) - 1u;
    store_d(word, (value & mask) | (load_d(word) & ~mask));
}

@compute @workgroup_size(256)
fn pull_rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let first = 4u * GROUP * (group.y * groups.x + group.x) + local;
    if (faulted() || first >= p.total) {
        return;
    }
    var values = vec4<u32>(0u);
    for (var k = 0u; k < 4u; k++) {
        values[k] = row_word(min(first + k * GROUP, p.total - 1u));
    }
    for (var k = 0u; k < 4u; k++) {
        store_row_word(first + k * GROUP, values[k]);
    }
}
