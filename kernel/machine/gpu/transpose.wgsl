//! include finish
// Transpose of large matrices: through tiles in workgroup memory, so that neighbouring invocations
// read neighbours of a and write neighbours of d.  n[0]: tiles across a; total: tiles.

const TILE: u32 = 32u;
// Columns of a in a tile of bytes: 16 words of 4; its rows are 32 words of 4.
const ACROSS: u32 = 16u;
const PITCH: u32 = 33u;

var<workgroup> tile: array<u32, 2112>; // 64 * PITCH: the larger one's

fn moved_a(r: u32, c: u32) -> u32 {
    let raw = raw_a(r, c);
    if (p.d.unit == 4u && p.d.kind == KIND_P) {
        return raw;
    }
    return convert(raw, p.a.kind, p.d.kind);
}

// d of words: 32 x 32 elements a workgroup, 4 an invocation.
@compute @workgroup_size(256)
fn transpose_words(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = group.y * groups.x + group.x;
    if (faulted_uniform(local) || number >= p.total) {
        return;
    }
    let row = number / p.n[0] * TILE;
    let col = number % p.n[0] * TILE;
    let x = local & 31u;
    for (var y = local >> 5u; y < TILE; y += 8u) {
        if (row + y < p.a.rows && col + x < p.a.cols) {
            tile[y * PITCH + x] = moved_a(row + y, col + x);
        }
    }
    workgroupBarrier();
    for (var y = local >> 5u; y < TILE; y += 8u) {
        if (col + y < p.a.cols && row + x < p.a.rows) {
            store_d(at(p.d, col + y, row + x), tile[x * PITCH + y]);
        }
    }
}

// Bytes c..c+3 of row r of a, as bytes of d; beyond a's edge anything.
fn four(r: u32, c: u32) -> u32 {
    if (p.a.unit == 1u && p.a.col_step == 1u) {
        let i = at(p.a, r, c);
        let shift = (i & 3u) * 8u;
        let low = load_a(i >> 2u);
        if (shift == 0u) {
            return low;
        }
        return (low >> shift) | (load_a((i >> 2u) + 1u) << (32u - shift));
    }
    var value = 0u;
    for (var k = 0u; k < 4u; k++) {
        if (c + k < p.a.cols) {
            value |= moved_a(r, c + k) << (8u * k);
        }
    }
    return value;
}

fn column(words: vec4<u32>, k: u32) -> u32 {
    let bytes = (words >> vec4<u32>(8u * k)) & vec4<u32>(0xFFu);
    return bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}

// d of bytes, its rows from a word on and without gaps: 128 rows by 64 columns of a a workgroup.
// An invocation turns squares of 4 x 4 bytes in registers; the squares are turned in the tile.
@compute @workgroup_size(256)
fn transpose_bytes(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = group.y * groups.x + group.x;
    if (faulted_uniform(local) || number >= p.total) {
        return;
    }
    let row = number / p.n[0] * (4u * TILE);
    let col = number % p.n[0] * (4u * ACROSS);
    let x = local % ACROSS;
    for (var y = local / ACROSS; y < TILE; y += 256u / ACROSS) {
        let r = row + 4u * y;
        let c = col + 4u * x;
        if (r < p.a.rows && c < p.a.cols) {
            let last = p.a.rows - 1u;
            let words = vec4<u32>(
                four(r, c), four(min(r + 1u, last), c),
                four(min(r + 2u, last), c), four(min(r + 3u, last), c),
            );
            for (var k = 0u; k < 4u; k++) {
                tile[(4u * x + k) * PITCH + y] = column(words, k);
            }
        }
    }
    workgroupBarrier();
    let w = local & 31u;
    for (var y = local >> 5u; y < 4u * ACROSS; y += 8u) {
        let r = col + y;
        let c = row + 4u * w;
        if (r < p.d.rows && c < p.d.cols) {
            let i = at(p.d, r, c) >> 2u;
            var value = tile[y * PITCH + w];
            let left = p.d.cols - c;
            if (left < 4u) {
                let mask = (1u << (8u * left)) - 1u;
                value = (value & mask) | (load_d(i) & ~mask);
            }
            store_d(i, value);
        }
    }
}
