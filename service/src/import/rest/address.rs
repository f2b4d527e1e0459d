//! Addresses of services, and the text that stands in them.

use ureq::http::Uri;

use crate::import::fault::{FaultCode, Problem};

/// The address of a service, without a slash at its end.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// Scheme, host and port: `https://roster.example:8443`.
    origin: String,
    /// Host and port.
    host: String,
    path: String,
}

impl Address {
    /// Takes an address. Passwords and names of children must not travel in the clear, so it is
    /// https, or http on this machine.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let wrong = |why: &'static str| Problem::new(FaultCode::RestAddressInvalid, why);
        let uri: Uri = text
            .trim_end_matches('/')
            .parse()
            .map_err(|_| wrong("this is no address; write it as in https://host/path"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong(
                "the address is not whole; write it as in https://host/path",
            ));
        };
        if authority.as_str().contains('@') {
            return Err(wrong(
                "the address holds a user name; use --client-id and --client-secret-file",
            ));
        }
        let is_here = matches!(authority.host(), "localhost" | "127.0.0.1" | "[::1]");
        if scheme != "https" && !(scheme == "http" && is_here) {
            return Err(wrong("the address is not encrypted; use https"));
        }
        if uri.query().is_some() {
            return Err(wrong(
                "the address has a question mark; leave out what stands after it",
            ));
        }
        Ok(Self {
            origin: format!("{scheme}://{authority}"),
            host: authority.as_str().to_owned(),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The whole address.
    pub(super) fn url(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }

    /// The address that a `Link` of this service names. `None` if it leads to another host, where
    /// the token must not go.
    pub(super) fn follow(&self, link: &str) -> Option<String> {
        let uri: Uri = link.parse().ok()?;
        let same = uri.authority().is_none_or(|to| to.as_str() == self.host);
        // Behind a proxy, services often give their links with http.
        let path = uri.path_and_query()?.as_str();
        // Two slashes would begin with a host.
        let is_path = path.starts_with('/') && !path.starts_with("//");
        (same && is_path).then(|| format!("{}{path}", self.origin))
    }
}

/// A text as it may stand in a query or in a user name.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// The address of the next page in a `Link` header.
pub(super) fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        // A comma begins the next link. In an address it stands between < and >.
        let (parameters, more) = after.split_once(",").unwrap_or((after, ""));
        let is_next = parameters.split(';').any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            let value = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel")
                && value
                    .split(' ')
                    .any(|word| word.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target);
        }
        rest = more;
    }
    None
}
