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

// d[n[1] + i] = a[n[0] + i], in words: uploads, and copies of operands that d overlaps.
@compute @workgroup_size(256)
fn copy_words(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear(group, groups, local);
    if (faulted() || i >= p.total) {
        return;
    }
    store_d(p.n[1] + i, load_a(p.n[0] + i));
}
