// The main of pull-style kernels: one invocation owns one word of d, asks ``element(r, c)`` for what
// belongs there and stores it.  element gets coordinates of the result, which is broadcast to d.

fn result_element(r: u32, c: u32) -> u32 {
    return element(select(r, 0u, p.rows == 1u), select(c, 0u, p.cols == 1u));
}

// Word ``w`` of the words that row r of a byte rectangle touches: elements merged into it.
fn pull_bytes(r: u32, w: u32) {
    let start = p.d.offset + r * p.d.row_step;
    var low = start;
    if (i32(p.d.col_step) < 0) {
        low = start + (p.d.cols - 1u) * p.d.col_step;
    }
    let word = (low >> 2u) + w;
    var value = 0u;
    var mask = 0u;
    for (var k = 0u; k < 4u; k++) {
        let away = word * 4u + k - start;
        var c = away;
        if (p.d.col_step != 1u) {
            if (p.d.col_step == 0u) {
                c = select(0xFFFFFFFFu, 0u, away == 0u);
            } else if (i32(p.d.col_step) > 0) {
                if (i32(away) < 0 || away % p.d.col_step != 0u) {
                    continue;
                }
                c = away / p.d.col_step;
            } else {
                let back = 0u - away;
                let step = 0u - p.d.col_step;
                if (i32(back) < 0 || back % step != 0u) {
                    continue;
                }
                c = back / step;
            }
        }
        if (c < p.d.cols) {
            value |= (result_element(r, c) & 0xFFu) << (k * 8u);
            mask |= 0xFFu << (k * 8u);
        }
    }
    if (mask == 0u) {
        return;
    }
    if (mask != 0xFFFFFFFFu) {
        value |= load_d(word) & ~mask;
    }
    store_d(word, value);
}

@compute @workgroup_size(256)
fn pull(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear(group, groups, local);
    if (faulted() || i >= p.total) {
        return;
    }
    if (p.d.unit == 4u) {
        let r = i / p.d.cols;
        let c = i - r * p.d.cols;
        store_d(at(p.d, r, c), result_element(r, c));
    } else {
        let r = i / p.row_words;
        pull_bytes(r, i - r * p.row_words);
    }
}
