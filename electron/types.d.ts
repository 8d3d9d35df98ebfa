// Electron's types name its modules by declarations that no import finds by itself.
/// <reference types="electron" />
