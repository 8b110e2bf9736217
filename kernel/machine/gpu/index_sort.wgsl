//! include finish
// Order of rows of up to 1024 columns: bitonic sorting of (key, column) in the memory of a
// workgroup, which is stable because no two pairs are equal.  A key is the raw word with its sign
// turned.
//
// n[0] columns; n[1] slots of a row, a power of two; n[2] rows; n[3] 1: into d, 0: into scratch,
// row-major.

const BLOCK: u32 = 1024u;
const BEHIND: u32 = 0xFFFFFFFFu;

var<workgroup> block_keys: array<u32, BLOCK>;
var<workgroup> block_columns: array<u32, BLOCK>;

// Whether the second pair belongs before the first.
fn op_order(key: u32, column: u32, other_key: u32, other_column: u32) -> bool {
    return other_key < key || (other_key == key && other_column < column);
}

fn settle_pair(i: u32, j: u32) {
    let key = block_keys[i];
    let column = block_columns[i];
    let other_key = block_keys[j];
    let other_column = block_columns[j];
    if (op_order(key, column, other_key, other_column)) {
        block_keys[i] = other_key;
        block_columns[i] = other_column;
        block_keys[j] = key;
        block_columns[j] = column;
    }
}

// Row and column of a slot of a workgroup's block; BEHIND if there is none.
fn cell_of(number: u32, slot: u32) -> vec2<u32> {
    let row = number * (BLOCK / p.n[1]) + slot / p.n[1];
    let column = slot % p.n[1];
    if (row >= p.n[2] || column >= p.n[0]) {
        return vec2<u32>(BEHIND, BEHIND);
    }
    return vec2<u32>(row, column);
}

@compute @workgroup_size(256)
fn sort_rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    if (faulted_uniform(local)) {
        return;
    }
    let number = group.y * groups.x + group.x;
    for (var slot = local; slot < BLOCK; slot += GROUP) {
        let cell = cell_of(number, slot);
        block_keys[slot] = BEHIND;
        block_columns[slot] = BEHIND;
        if (cell.x != BEHIND) {
            block_keys[slot] = raw_a(cell.x, cell.y) ^ 0x80000000u;
            block_columns[slot] = cell.y;
        }
    }
    for (var size = 2u; size <= p.n[1]; size *= 2u) {
        // Each slot of the lower half with its mirror image, then halves of halves.
        workgroupBarrier();
        for (var t = local; t < BLOCK / 2u; t += GROUP) {
            let start = t / (size / 2u) * size;
            let offset = t % (size / 2u);
            settle_pair(start + offset, start + size - 1u - offset);
        }
        for (var half = size / 4u; half > 0u; half /= 2u) {
            workgroupBarrier();
            for (var t = local; t < BLOCK / 2u; t += GROUP) {
                let i = t / half * 2u * half + t % half;
                settle_pair(i, i + half);
            }
        }
    }
    workgroupBarrier();
    for (var slot = local; slot < BLOCK; slot += GROUP) {
        let cell = cell_of(number, slot);
        if (cell.x == BEHIND) {
            continue;
        }
        let column = block_columns[slot];
        if (p.n[3] == 1u) {
            store_d(at(p.d, cell.x, cell.y), finish64(i64_of_u32(column), 0u, p.d.kind));
        } else {
            scratch[cell.x * p.n[0] + cell.y] = column;
        }
    }
}
