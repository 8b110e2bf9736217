//! include finish
// Operands of large products in planes of balanced digits, and sums of rows.
//
// pack: a has one line for each row or column of the result.  n[0]: lines, n[1]: words of a line, both
// padded; n[2]: planes; n[3]: what is taken from an element; n[4]: its mark in counts, whose bit i
// says that plane i has digits other than zero.  Scratch holds [plane][word][line], a word being four
// inner elements.

var<workgroup> used: atomic<u32>;
var<workgroup> part: array<vec2<u32>, 256>;

fn centred(line: u32, k: u32) -> i32 {
    if (line >= p.a.rows || k >= p.a.cols) {
        return 0;
    }
    return signed_raw(raw_a(line, k)) - i32(p.n[3]);
}

@compute @workgroup_size(256)
fn pack(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    if (faulted_uniform(local)) {
        return;
    }
    let i = linear(group, groups, local);
    var mine = 0u;
    if (i < p.total) {
        let k = 4u * (i / p.n[0]);
        let line = i % p.n[0];
        var v = vec4<i32>(
            centred(line, k), centred(line, k + 1u), centred(line, k + 2u), centred(line, k + 3u)
        );
        for (var plane = 0u; plane < p.n[2]; plane++) {
            let digits = vec4<u32>(v) & vec4<u32>(255u);
            let word = digits.x | (digits.y << 8u) | (digits.z << 16u) | (digits.w << 24u);
            scratch[plane * p.total + i] = word;
            mine |= select(0u, 1u << plane, word != 0u);
            // what is left, with the carry of a digit that stands for less than zero
            v = (v >> vec4<u32>(8u)) + ((v >> vec4<u32>(7u)) & vec4<i32>(1));
        }
    }
    if (mine != 0u) {
        atomicOr(&used, mine);
    }
    workgroupBarrier();
    if (local == 0u) {
        let all = atomicLoad(&used);
        if ((atomicLoad(&counts[p.n[4]]) & all) != all) {
            atomicOr(&counts[p.n[4]], all);
        }
    }
}

// scratch[2r], scratch[2r + 1]: the sum of row r of a.  A workgroup a row.
@compute @workgroup_size(256)
fn row_sums(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let r = group.y * groups.x + group.x;
    if (faulted_uniform(local) || r >= p.total) {
        return;
    }
    var sum = vec2<u32>(0u);
    for (var k = local; k < p.a.cols; k += 256u) {
        sum = i64_add(sum, i64_of(signed_raw(raw_a(r, k))));
    }
    part[local] = sum;
    for (var half = 128u; half > 0u; half = half >> 1u) {
        workgroupBarrier();
        if (local < half) {
            part[local] = i64_add(part[local], part[local + half]);
        }
    }
    if (local == 0u) {
        scratch[2u * r] = part[0].x;
        scratch[2u * r + 1u] = part[0].y;
    }
}
