//! checks
// The check for zero divisors: reads b, writes fault[1] alone.

fn found_zero(position: u32) {
    // Most zeros come behind one that was found: reading is cheaper than the atomic minimum.
    let found = atomicLoad(&fault[1]);
    if (position < found) {
        atomicMin(&fault[1], position);
    }
}

// fault[1] = the least row-major position of a zero in b.  n[0] = 1: b is bytes without gaps from a
// word's start, n[1] of them, and each invocation looks at one word.
@compute @workgroup_size(256)
fn check_zero(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear(group, groups, local);
    if (faulted() || i >= p.total) {
        return;
    }
    if (p.n[0] == 0u) {
        let r = i / p.b.cols;
        if (raw_b(r, i - r * p.b.cols) == 0u) {
            found_zero(i);
        }
        return;
    }
    let word = load_b((p.b.offset >> 2u) + i);
    for (var k = 0u; k < 4u; k++) {
        if (byte_of(word, k) == 0u && 4u * i + k < p.n[1]) {
            found_zero(4u * i + k);
            return;
        }
    }
}
