// 64-bit two's complement integers as vec2<u32>: x the low word, y the high word.

// Low and high word of the product of two unsigned words.
fn mul_wide(a: u32, b: u32) -> vec2<u32> {
    let al = a & 0xFFFFu;
    let ah = a >> 16u;
    let bl = b & 0xFFFFu;
    let bh = b >> 16u;
    let ll = al * bl;
    let lh = al * bh;
    let hl = ah * bl;
    let middle = (ll >> 16u) + (lh & 0xFFFFu) + (hl & 0xFFFFu);
    return vec2<u32>(a * b, ah * bh + (lh >> 16u) + (hl >> 16u) + (middle >> 16u));
}

fn i64_of(v: i32) -> vec2<u32> {
    return vec2<u32>(u32(v), u32(v >> 31u));
}

fn i64_of_u32(v: u32) -> vec2<u32> {
    return vec2<u32>(v, 0u);
}

fn i64_add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn i64_neg(a: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(0u - a.x, ~a.y + select(0u, 1u, a.x == 0u));
}

fn i64_sub(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

// Product of two signed words, exact.
fn i64_mul(a: i32, b: i32) -> vec2<u32> {
    let wide = mul_wide(u32(a), u32(b));
    // Each negative factor was taken as 2^32 more than it is.
    return vec2<u32>(wide.x, wide.y - select(0u, u32(b), a < 0) - select(0u, u32(a), b < 0));
}

fn i64_negative(a: vec2<u32>) -> bool {
    return i32(a.y) < 0;
}

fn i64_zero(a: vec2<u32>) -> bool {
    return (a.x | a.y) == 0u;
}

fn i64_less(a: vec2<u32>, b: vec2<u32>) -> bool {
    return i32(a.y) < i32(b.y) || (a.y == b.y && a.x < b.x);
}

fn i64_same(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.x == b.x && a.y == b.y;
}

// a * 2^n modulo 2^64, 0 <= n <= 63.
fn i64_shl(a: vec2<u32>, n: u32) -> vec2<u32> {
    if (n == 0u) {
        return a;
    }
    if (n >= 32u) {
        return vec2<u32>(0u, a.x << (n - 32u));
    }
    return vec2<u32>(a.x << n, (a.y << n) | (a.x >> (32u - n)));
}

// floor(a / 2^n), 0 <= n <= 63.
fn i64_sar(a: vec2<u32>, n: u32) -> vec2<u32> {
    if (n == 0u) {
        return a;
    }
    let sign = u32(i32(a.y) >> 31u);
    if (n >= 32u) {
        return vec2<u32>(u32(i32(a.y) >> (n - 32u)), sign);
    }
    return vec2<u32>((a.x >> n) | (a.y << (32u - n)), u32(i32(a.y) >> n));
}

// floor(a / 2^n) of an unsigned a, 0 <= n <= 63.
fn u64_shr(a: vec2<u32>, n: u32) -> vec2<u32> {
    if (n == 0u) {
        return a;
    }
    if (n >= 32u) {
        return vec2<u32>(a.y >> (n - 32u), 0u);
    }
    return vec2<u32>((a.x >> n) | (a.y << (32u - n)), a.y >> n);
}

fn u64_less(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.y < b.y || (a.y == b.y && a.x < b.x);
}

// The nearest signed word.
fn i64_saturate(a: vec2<u32>) -> u32 {
    if (a.y == u32(i32(a.x) >> 31u)) {
        return a.x;
    }
    return select(0x7FFFFFFFu, 0x80000000u, i64_negative(a));
}

// The nearest byte.
fn i64_byte(a: vec2<u32>) -> u32 {
    if (i64_negative(a)) {
        return 0u;
    }
    return select(255u, a.x, a.y == 0u && a.x < 256u);
}
