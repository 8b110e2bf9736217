; The brightness of a picture, as people see it.

; luma(y, photo): y (I or T) becomes rows x columns of 0..255, by the weights of ITU-R BT.601
; in 256ths: (77 red + 150 green + 29 blue + 128) / 256.  Seven instructions and three views.
macro luma(y, photo) {
    sum : I
    view red   = photo[0, 0, -1, -1] step 1, 4 as T
    view green = photo[0, 1, -1, -1] step 1, 4 as T
    view blue  = photo[0, 2, -1, -1] step 1, 4 as T
    sum = green * 150
    sum += red * 77
    sum += blue * 29
    sum += 128
    y = sum >> 8
}

; paint_gray(photo, y): the colours of photo become y (I, 0..255), its alpha stays.
macro paint_gray(photo, y) {
    view words = photo as I
    words = words & 0xff000000
    words = words | y * 0x010101
}
