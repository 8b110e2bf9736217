//! include finish
//! include pull
// Norm: each element over the root of its row's mean square, rounded once.
//
// With raw integers r of f fraction bits, n columns and e the noise, let s = 32 - 2f, so that
//     S = 2^s * sum(r^2) + n * e          and          |y| * 2^17 = sqrt(2^(34 + s) * r^2 * n / S).
// The root's floor h is the greatest integer with h^2 * S <= 2^(34 + s) * r^2 * n, found a bit at a
// time; half of it, rounded, is the result.  S stays below 2^127 and h^2 * S below 2^192.
//
// n[0]: pieces of a row; n[1]: columns of a piece.  Scratch holds the squares of each piece of each
// row, three words a sum.

const SUM_WORDS: u32 = 3u;

// An unsigned integer of 192 bits, the low word first.
struct Long {
    w: array<u32, 6>,
}

fn long_add(a: Long, b: Long) -> Long {
    var sum: Long;
    var carry = 0u;
    for (var k = 0u; k < 6u; k++) {
        let part = a.w[k] + carry;
        let over = select(0u, 1u, part < carry);
        sum.w[k] = part + b.w[k];
        carry = over + select(0u, 1u, sum.w[k] < part);
    }
    return sum;
}

fn long_times(a: Long, m: u32) -> Long {
    var product: Long;
    var carry = 0u;
    for (var k = 0u; k < 6u; k++) {
        let wide = i64_add(mul_wide(a.w[k], m), vec2<u32>(carry, 0u));
        product.w[k] = wide.x;
        carry = wide.y;
    }
    return product;
}

// a * 2^32.
fn long_word_up(a: Long) -> Long {
    var moved: Long;
    for (var k = 5u; k > 0u; k--) {
        moved.w[k] = a.w[k - 1u];
    }
    return moved;
}

fn long_above(a: Long, b: Long) -> bool {
    for (var i = 0u; i < 6u; i++) {
        let k = 5u - i;
        if (a.w[k] != b.w[k]) {
            return a.w[k] > b.w[k];
        }
    }
    return false;
}

fn magnitude_of(raw: u32) -> u32 {
    return select(raw, 0u - raw, i32(raw) < 0);
}

@compute @workgroup_size(256)
fn squares(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear(group, groups, local);
    if (faulted() || i >= p.total) {
        return;
    }
    let row = i / p.n[0];
    let first = (i - row * p.n[0]) * p.n[1];
    var sum = vec3<u32>(0u);
    for (var c = first; c < min(first + p.n[1], p.a.cols); c++) {
        let size = magnitude_of(raw_a(row, c));
        let square = mul_wide(size, size);
        let low = i64_add(sum.xy, square);
        sum = vec3<u32>(low, sum.z + select(0u, 1u, low.y < square.y || (low.y == square.y && low.x < square.x)));
    }
    scratch[SUM_WORDS * i] = sum.x;
    scratch[SUM_WORDS * i + 1u] = sum.y;
    scratch[SUM_WORDS * i + 2u] = sum.z;
}

// The element of row r over the root of the row's mean square and the noise.
fn op_norm(raw: u32, r: u32, noise: u32) -> u32 {
    var total: Long;
    for (var piece = 0u; piece < p.n[0]; piece++) {
        let from_word = SUM_WORDS * (r * p.n[0] + piece);
        var part: Long;
        part.w[0] = scratch[from_word];
        part.w[1] = scratch[from_word + 1u];
        part.w[2] = scratch[from_word + 2u];
        total = long_add(total, part);
    }
    let size = magnitude_of(raw);
    var goal: Long;
    goal.w[1] = size;
    goal = long_times(long_times(long_times(goal, size), p.a.cols), 4u);
    if (p.a.kind != KIND_X) {
        total = long_word_up(total);
        goal = long_word_up(goal);
    }
    var more: Long;
    more.w[0] = noise;
    total = long_add(total, long_times(more, p.a.cols));
    var root = 0u;
    var exact = false;
    for (var k = 0u; k < 32u; k++) {
        let next = root | (1u << (31u - k));
        let square = long_times(long_times(total, next), next);
        if (!long_above(square, goal)) {
            root = next;
            exact = !long_above(goal, square);
        }
    }
    if (size == 0u) {
        return 0u;
    }
    // Half up; below 0, half the root goes down unless it is exactly a half.
    let up = (root >> 1u) + (root & 1u);
    if (i32(raw) >= 0) {
        return min(up, 0x7FFFFFFFu);
    }
    return 0u - select(up, root >> 1u, exact);
}

fn element(r: u32, c: u32) -> u32 {
    let noise = u32(max(floor_of(raw_b(0u, 0u), p.b.kind), 0));
    return convert(op_norm(raw_a(r, c), r, noise), KIND_X, p.d.kind);
}
