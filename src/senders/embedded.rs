//! The list of the sender documents that the binary carries. A new document is a file beside this one and a name
//! here, in the order of the alphabet; a test holds the list to the folder.

/// Embeds the documents of these names.
macro_rules! documents {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!($name, ".yaml")))),*]
    };
}

pub(super) const DOCUMENTS: &[(&str, &str)] = documents! {
    "adyen" "adyen-platform" "airtable" "asana" "atlassian-connect" "auth0" "aws-sns" "azure-event-grid"
    "basic" "bitbucket" "braintree" "calendly" "circleci" "clerk" "cloudevents" "coinbase-cdp"
    "coinbase-commerce" "discord" "docker-hub" "docusign" "dropbox" "forgejo" "gitea" "github" "gitlab" "gogs"
    "google-pubsub" "hmac" "hubspot" "intercom" "jira" "kombo" "lemon-squeezy" "likemagic" "linear" "mailgun"
    "merge" "meta" "microsoft-graph" "mux" "none" "notion" "okta" "paddle" "pagerduty" "paypal" "plaid"
    "postmark" "propexo" "razorpay" "scalr" "sendgrid" "sentry" "shopify" "slack" "square" "standard-webhooks"
    "stripe" "svix" "syncaroo" "token" "trello" "twilio" "typeform" "vercel" "workos" "x" "xero" "zendesk"
    "zoom"
};
