//! The list of the sender documents that the binary carries. A new document is a file beside this one and a line
//! here, in the order of the alphabet; a test holds the list to the folder.

/// Embeds the documents of these names.
macro_rules! documents {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!($name, ".yaml")))),*]
    };
}

/// Each document's name and text.
pub(super) const DOCUMENTS: &[(&str, &str)] = documents! {
    "github"
    "hmac"
    "likemagic"
    "none"
    "propexo"
    "standard-webhooks"
    "syncaroo"
    "token"
};
