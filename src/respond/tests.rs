//! Tests of handshakes.
