// Kernels of no instruction: clearing and guarded copies.

// counts[0 .. total-1] = n[0]
@compute @workgroup_size(256)
fn clear_counts(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear(group, groups, local);
    if (faulted() || i >= p.total) {
        return;
    }
    atomicStore(&counts[i], p.n[0]);
}

// scratch[0 .. total-1] = n[0]
@compute @workgroup_size(256)
fn clear_scratch(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear(group, groups, local);
    if (faulted() || i >= p.total) {
        return;
    }
    scratch[i] = p.n[0];
}

// d[n[1] + i] = a[n[0] + i], in words: uploads, and copies of operands that d overlaps.  A group
// copies 1024 words in a row, each invocation 4 that lie 256 apart: several loads on their way at once.
@compute @workgroup_size(256)
fn copy_words(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    if (faulted()) {
        return;
    }
    let first = (group.y * groups.x + group.x) * 4u * GROUP + local;
    let start = p.n[0] + first;
    let target_at = p.n[1] + first;
    let total = p.total;
    if (first + 3u * GROUP < total) {
        let w0 = load_a(start);
        let w1 = load_a(start + GROUP);
        let w2 = load_a(start + 2u * GROUP);
        let w3 = load_a(start + 3u * GROUP);
        store_d(target_at, w0);
        store_d(target_at + GROUP, w1);
        store_d(target_at + 2u * GROUP, w2);
        store_d(target_at + 3u * GROUP, w3);
        return;
    }
    for (var k = 0u; k < 4u; k++) {
        if (first + k * GROUP < total) {
            store_d(target_at + k * GROUP, load_a(start + k * GROUP));
        }
    }
}
