// Blending of pixels, exactly.

// ``over`` on ``under``: (s*A + t*(255-A) + 127) div 255 for each channel, A the alpha of over, which
// itself counts as 255.  A channel's number y is at most 255*255 + 127, so a word holds two, and
// y div 255 = (y + 1 + (y >> 8)) >> 8 there.
fn blend(over: u32, under: u32) -> u32 {
    let alpha = over >> 24u;
    let clear = 255u - alpha;
    var even = (over & 0x00FF00FFu) * alpha + (under & 0x00FF00FFu) * clear + 0x007F007Fu;
    var odd = (((over >> 8u) & 0xFFu) | 0x00FF0000u) * alpha
        + ((under >> 8u) & 0x00FF00FFu) * clear + 0x007F007Fu;
    even += 0x00010001u + ((even >> 8u) & 0x00FF00FFu);
    odd += 0x00010001u + ((odd >> 8u) & 0x00FF00FFu);
    return ((even >> 8u) & 0x00FF00FFu) | (odd & 0xFF00FF00u);
}
