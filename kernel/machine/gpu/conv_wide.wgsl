// 96-bit sums of 64-bit products as vec3<u32>, low word first: room for 2^33 products of two words.

fn i96_add(a: vec3<u32>, b: vec3<u32>) -> vec3<u32> {
    let low = i64_add(a.xy, b.xy);
    let carry = u64_less(low, a.xy);
    return vec3<u32>(low, a.z + b.z + select(0u, 1u, carry));
}

fn i96_of(v: vec2<u32>) -> vec3<u32> {
    return vec3<u32>(v, u32(i32(v.y) >> 31u));
}

// The raw element of ``kind`` for v / 2^fraction; fraction is 0, 16 or 32.
fn finish96(v: vec3<u32>, fraction: u32, kind: u32) -> u32 {
    if (kind == KIND_I) {
        if (fraction == 32u) {
            return v.y;
        }
        return u64_shr(v.xy, fraction).x;
    }
    if (v.z == u32(i32(v.y) >> 31u)) {
        return finish64(v.xy, fraction, kind);
    }
    // At least 2^63 / 2^32 in magnitude: beyond every kind that saturates.
    let negative = i32(v.z) < 0;
    if (kind == KIND_X) {
        return select(0x7FFFFFFFu, 0x80000000u, negative);
    }
    return select(255u, 0u, negative);
}
