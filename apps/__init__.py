"""The apps that come with pxOS: one folder an app, source and built picture."""
