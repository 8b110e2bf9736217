; Made by python -m pxos.fonts.build from kernel/devices/keycodes.py: edit that, not this.
; Keys that are no characters, by the code in column 0 of a key event.

const KEY_BACKSPACE = 8
const KEY_TAB       = 9
const KEY_ENTER     = 13
const KEY_ESCAPE    = 27
const KEY_UP        = 0xe000
const KEY_DOWN      = 0xe001
const KEY_LEFT      = 0xe002
const KEY_RIGHT     = 0xe003
const KEY_HOME      = 0xe004
const KEY_END       = 0xe005
const KEY_PAGE_UP   = 0xe006
const KEY_PAGE_DOWN = 0xe007
const KEY_INSERT    = 0xe008
const KEY_DELETE    = 0xe009
const KEY_F1        = 0xe011
const KEY_F2        = 0xe012
const KEY_F3        = 0xe013
const KEY_F4        = 0xe014
const KEY_F5        = 0xe015
const KEY_F6        = 0xe016
const KEY_F7        = 0xe017
const KEY_F8        = 0xe018
const KEY_F9        = 0xe019
const KEY_F10       = 0xe01a
const KEY_F11       = 0xe01b
const KEY_F12       = 0xe01c
const KEY_F13       = 0xe01d
const KEY_F14       = 0xe01e
const KEY_F15       = 0xe01f
const KEY_F16       = 0xe020
const KEY_F17       = 0xe021
const KEY_F18       = 0xe022
const KEY_F19       = 0xe023
const KEY_F20       = 0xe024
const KEY_F21       = 0xe025
const KEY_F22       = 0xe026
const KEY_F23       = 0xe027
const KEY_F24       = 0xe028

; Column 1 of a key event.
const STATE_UP     = 0
const STATE_DOWN   = 1
const STATE_REPEAT = 2

; Bits of column 2.
const MOD_SHIFT = 1
const MOD_CTRL  = 2
const MOD_ALT   = 4
const MOD_META  = 8

; Bits of column 2 of a pointer event; wheel steps stand above WHEEL_SHIFT.
const BUTTON_LEFT   = 1
const BUTTON_RIGHT  = 4
const BUTTON_MIDDLE = 2
const WHEEL_SHIFT   = 8
