"""Bitmap fonts as PNG atlases, and the palette."""
