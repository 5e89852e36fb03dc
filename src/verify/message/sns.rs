//! What Amazon SNS signs: for each field in the order of their names, the name and the value, each with a line feed
//! behind it (docs.aws.amazon.com, "Verifying the signatures of Amazon SNS messages"). The other fields are not
//! signed: the address to unsubscribe and the attributes can be changed on the way.

use crate::{
    request::slot::{Pointer, Slot},
    verify::{VerifyError, value::Value},
};

/// The fields of a notification; `Subject` may be absent.
const NOTIFICATION: [&str; 6] = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];

const SUBSCRIPTION: [&str; 7] =
    ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];

/// True for a field that stands in every message.
pub(super) fn covers(value: &Value) -> bool {
    let Value::Slot(Slot::Json(pointer)) = value else { return false };
    let name = pointer.to_string();
    name.strip_prefix('/').is_some_and(|name| NOTIFICATION.contains(&name) && SUBSCRIPTION.contains(&name))
}

/// Returns the lines of the message in a body.
pub(super) fn message(body: &[u8]) -> Result<Vec<u8>, VerifyError> {
    let text = std::str::from_utf8(body).map_err(|_| VerifyError::malformed("the body is not UTF-8"))?;
    let field = |name: &str| {
        let pointer = Pointer::parse(&format!("/{name}")).map_err(VerifyError::Malformed)?;
        Ok::<_, VerifyError>(pointer.scalar(text)?)
    };
    let kind = field("Type")?.ok_or_else(|| VerifyError::Missing("`/Type`".to_owned()))?;
    let names = match &*kind {
        "Notification" => NOTIFICATION.as_slice(),
        "SubscriptionConfirmation" | "UnsubscribeConfirmation" => SUBSCRIPTION.as_slice(),
        _ => return Err(VerifyError::malformed("the message has a type that SNS does not sign")),
    };
    let mut lines = Vec::with_capacity(body.len());
    for name in names {
        match field(name)? {
            Some(value) => {
                for line in [name, &*value] {
                    lines.extend(line.as_bytes());
                    lines.push(b'\n');
                }
            }
            None if *name == "Subject" => {}
            None => return Err(VerifyError::Missing(format!("`/{name}`"))),
        }
    }
    Ok(lines)
}
