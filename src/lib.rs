//! Hookway.
