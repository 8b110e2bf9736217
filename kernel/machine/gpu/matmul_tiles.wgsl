//! include finish
// Products of planes of digits: the sums of every pair of planes, in tiles of 128 x 128.
//
// a and b are packed as matmul_pack.wgsl does, both padded to whole tiles and whole depths.  An
// invocation has 8 x 8 sums in registers, rows 4y .. 4y+3 and 64+4y .. 64+4y+3 of the tile by the like
// columns.  Written out, because that is what fast means here: a loop over the eight words of a depth
// ran at two thirds of this speed, and one over a private array of sums at a fifth.
// n[0]: rows; n[1]: columns; n[2]: words of the inner dimension; n[3]: of a block of it; n[4]: blocks;
// n[5], n[6]: planes of a and b.  Scratch holds [plane of a][plane of b][block][row][column].

const TILE: u32 = 128u;
const QUADS: u32 = 32u; // of lines in a tile
const DEPTH: u32 = 8u;  // words taken in at a time

var<workgroup> left: array<vec4<u32>, 256>;
var<workgroup> right: array<vec4<u32>, 256>;

fn dots(x: u32, y: vec4<u32>) -> vec4<i32> {
    return vec4<i32>(
        dot4I8Packed(x, y.x), dot4I8Packed(x, y.y), dot4I8Packed(x, y.z), dot4I8Packed(x, y.w)
    );
}

fn quad_a(i: u32) -> vec4<u32> {
    return vec4<u32>(load_a(i), load_a(i + 1u), load_a(i + 2u), load_a(i + 3u));
}

fn quad_b(i: u32) -> vec4<u32> {
    return vec4<u32>(load_b(i), load_b(i + 1u), load_b(i + 2u), load_b(i + 3u));
}

fn store_quad(to: u32, v: vec4<i32>) {
    scratch[to] = u32(v.x);
    scratch[to + 1u] = u32(v.y);
    scratch[to + 2u] = u32(v.z);
    scratch[to + 3u] = u32(v.w);
}

@compute @workgroup_size(256)
fn tiles(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = group.y * groups.x + group.x;
    if (faulted_uniform(local) || number >= p.total) {
        return;
    }
    let across = p.n[1] / TILE;
    let down = p.n[0] / TILE;
    let tile = number % (across * down);
    let rest = number / (across * down);
    let block = rest % p.n[4];
    let pair = rest / p.n[4];
    let plane_a = pair / p.n[6];
    let plane_b = pair % p.n[6];
    if ((atomicLoad(&counts[0]) & (1u << plane_a)) == 0u) {
        return;
    }
    if ((atomicLoad(&counts[1]) & (1u << plane_b)) == 0u) {
        return;
    }
    let row = (tile / across) * TILE;
    let column = (tile % across) * TILE;
    let first = block * p.n[3];
    let end = min(first + p.n[3], p.n[2]);

    // a warp of 32 has 4 x 8 of the invocations
    let x = (local >> 5u & 1u) * 8u + (local & 7u);
    let y = (local >> 6u) * 4u + (local >> 3u & 3u);
    let load_row = local / QUADS;
    let load_quad = 4u * (local % QUADS);
    var from_a = (plane_a * p.n[2] + first + load_row) * p.n[0] + row + load_quad;
    var from_b = (plane_b * p.n[2] + first + load_row) * p.n[1] + column + load_quad;
    var next_a = quad_a(from_a);
    var next_b = quad_b(from_b);
    var s00 = vec4<i32>(0);
    var s01 = vec4<i32>(0);
    var s10 = vec4<i32>(0);
    var s11 = vec4<i32>(0);
    var s20 = vec4<i32>(0);
    var s21 = vec4<i32>(0);
    var s30 = vec4<i32>(0);
    var s31 = vec4<i32>(0);
    var s40 = vec4<i32>(0);
    var s41 = vec4<i32>(0);
    var s50 = vec4<i32>(0);
    var s51 = vec4<i32>(0);
    var s60 = vec4<i32>(0);
    var s61 = vec4<i32>(0);
    var s70 = vec4<i32>(0);
    var s71 = vec4<i32>(0);
    for (var k = first; k < end; k += DEPTH) {
        workgroupBarrier();
        left[local] = next_a;
        right[local] = next_b;
        workgroupBarrier();
        if (k + DEPTH < end) {
            from_a += DEPTH * p.n[0];
            from_b += DEPTH * p.n[1];
            next_a = quad_a(from_a);
            next_b = quad_b(from_b);
        }
        {
            let a0 = left[y];
            let a1 = left[y + 16u];
            let b0 = right[x];
            let b1 = right[x + 16u];
            s00 += dots(a0.x, b0);
            s01 += dots(a0.x, b1);
            s10 += dots(a0.y, b0);
            s11 += dots(a0.y, b1);
            s20 += dots(a0.z, b0);
            s21 += dots(a0.z, b1);
            s30 += dots(a0.w, b0);
            s31 += dots(a0.w, b1);
            s40 += dots(a1.x, b0);
            s41 += dots(a1.x, b1);
            s50 += dots(a1.y, b0);
            s51 += dots(a1.y, b1);
            s60 += dots(a1.z, b0);
            s61 += dots(a1.z, b1);
            s70 += dots(a1.w, b0);
            s71 += dots(a1.w, b1);
        }
        {
            let a0 = left[y + 32u];
            let a1 = left[y + 48u];
            let b0 = right[x + 32u];
            let b1 = right[x + 48u];
            s00 += dots(a0.x, b0);
            s01 += dots(a0.x, b1);
            s10 += dots(a0.y, b0);
            s11 += dots(a0.y, b1);
            s20 += dots(a0.z, b0);
            s21 += dots(a0.z, b1);
            s30 += dots(a0.w, b0);
            s31 += dots(a0.w, b1);
            s40 += dots(a1.x, b0);
            s41 += dots(a1.x, b1);
            s50 += dots(a1.y, b0);
            s51 += dots(a1.y, b1);
            s60 += dots(a1.z, b0);
            s61 += dots(a1.z, b1);
            s70 += dots(a1.w, b0);
            s71 += dots(a1.w, b1);
        }
        {
            let a0 = left[y + 64u];
            let a1 = left[y + 80u];
            let b0 = right[x + 64u];
            let b1 = right[x + 80u];
            s00 += dots(a0.x, b0);
            s01 += dots(a0.x, b1);
            s10 += dots(a0.y, b0);
            s11 += dots(a0.y, b1);
            s20 += dots(a0.z, b0);
            s21 += dots(a0.z, b1);
            s30 += dots(a0.w, b0);
            s31 += dots(a0.w, b1);
            s40 += dots(a1.x, b0);
            s41 += dots(a1.x, b1);
            s50 += dots(a1.y, b0);
            s51 += dots(a1.y, b1);
            s60 += dots(a1.z, b0);
            s61 += dots(a1.z, b1);
            s70 += dots(a1.w, b0);
            s71 += dots(a1.w, b1);
        }
        {
            let a0 = left[y + 96u];
            let a1 = left[y + 112u];
            let b0 = right[x + 96u];
            let b1 = right[x + 112u];
            s00 += dots(a0.x, b0);
            s01 += dots(a0.x, b1);
            s10 += dots(a0.y, b0);
            s11 += dots(a0.y, b1);
            s20 += dots(a0.z, b0);
            s21 += dots(a0.z, b1);
            s30 += dots(a0.w, b0);
            s31 += dots(a0.w, b1);
            s40 += dots(a1.x, b0);
            s41 += dots(a1.x, b1);
            s50 += dots(a1.y, b0);
            s51 += dots(a1.y, b1);
            s60 += dots(a1.z, b0);
            s61 += dots(a1.z, b1);
            s70 += dots(a1.w, b0);
            s71 += dots(a1.w, b1);
        }
        {
            let a0 = left[y + 128u];
            let a1 = left[y + 144u];
            let b0 = right[x + 128u];
            let b1 = right[x + 144u];
            s00 += dots(a0.x, b0);
            s01 += dots(a0.x, b1);
            s10 += dots(a0.y, b0);
            s11 += dots(a0.y, b1);
            s20 += dots(a0.z, b0);
            s21 += dots(a0.z, b1);
            s30 += dots(a0.w, b0);
            s31 += dots(a0.w, b1);
            s40 += dots(a1.x, b0);
            s41 += dots(a1.x, b1);
            s50 += dots(a1.y, b0);
            s51 += dots(a1.y, b1);
            s60 += dots(a1.z, b0);
            s61 += dots(a1.z, b1);
            s70 += dots(a1.w, b0);
            s71 += dots(a1.w, b1);
        }
        {
            let a0 = left[y + 160u];
            let a1 = left[y + 176u];
            let b0 = right[x + 160u];
            let b1 = right[x + 176u];
            s00 += dots(a0.x, b0);
            s01 += dots(a0.x, b1);
            s10 += dots(a0.y, b0);
            s11 += dots(a0.y, b1);
            s20 += dots(a0.z, b0);
            s21 += dots(a0.z, b1);
            s30 += dots(a0.w, b0);
            s31 += dots(a0.w, b1);
            s40 += dots(a1.x, b0);
            s41 += dots(a1.x, b1);
            s50 += dots(a1.y, b0);
            s51 += dots(a1.y, b1);
            s60 += dots(a1.z, b0);
            s61 += dots(a1.z, b1);
            s70 += dots(a1.w, b0);
            s71 += dots(a1.w, b1);
        }
        {
            let a0 = left[y + 192u];
            let a1 = left[y + 208u];
            let b0 = right[x + 192u];
            let b1 = right[x + 208u];
            s00 += dots(a0.x, b0);
            s01 += dots(a0.x, b1);
            s10 += dots(a0.y, b0);
            s11 += dots(a0.y, b1);
            s20 += dots(a0.z, b0);
            s21 += dots(a0.z, b1);
            s30 += dots(a0.w, b0);
            s31 += dots(a0.w, b1);
            s40 += dots(a1.x, b0);
            s41 += dots(a1.x, b1);
            s50 += dots(a1.y, b0);
            s51 += dots(a1.y, b1);
            s60 += dots(a1.z, b0);
            s61 += dots(a1.z, b1);
            s70 += dots(a1.w, b0);
            s71 += dots(a1.w, b1);
        }
        {
            let a0 = left[y + 224u];
            let a1 = left[y + 240u];
            let b0 = right[x + 224u];
            let b1 = right[x + 240u];
            s00 += dots(a0.x, b0);
            s01 += dots(a0.x, b1);
            s10 += dots(a0.y, b0);
            s11 += dots(a0.y, b1);
            s20 += dots(a0.z, b0);
            s21 += dots(a0.z, b1);
            s30 += dots(a0.w, b0);
            s31 += dots(a0.w, b1);
            s40 += dots(a1.x, b0);
            s41 += dots(a1.x, b1);
            s50 += dots(a1.y, b0);
            s51 += dots(a1.y, b1);
            s60 += dots(a1.z, b0);
            s61 += dots(a1.z, b1);
            s70 += dots(a1.w, b0);
            s71 += dots(a1.w, b1);
        }
    }
    let to = ((pair * p.n[4] + block) * p.n[0] + row + 4u * y) * p.n[1] + column + 4u * x;
    let below = to + 64u * p.n[1];
    store_quad(to, s00);
    store_quad(to + 64u, s01);
    store_quad(to + p.n[1], s10);
    store_quad(to + p.n[1] + 64u, s11);
    store_quad(to + 2u * p.n[1], s20);
    store_quad(to + 2u * p.n[1] + 64u, s21);
    store_quad(to + 3u * p.n[1], s30);
    store_quad(to + 3u * p.n[1] + 64u, s31);
    store_quad(below, s40);
    store_quad(below + 64u, s41);
    store_quad(below + p.n[1], s50);
    store_quad(below + p.n[1] + 64u, s51);
    store_quad(below + 2u * p.n[1], s60);
    store_quad(below + 2u * p.n[1] + 64u, s61);
    store_quad(below + 3u * p.n[1], s70);
    store_quad(below + 3u * p.n[1] + 64u, s71);
}
