//! Why a request is turned away before its body is read. No message repeats what was sent.

/// Why a request is turned away before its body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The request shows neither a token nor a certificate.
    #[error("the request shows neither a token nor a certificate; send a bearer token")]
    TokenMissing,
    /// The token cannot be read, is not signed by its issuer, or is for somebody else.
    #[error("the token is not valid: {0}")]
    TokenInvalid(&'static str),
    /// The token, or the certificate of the connection, has expired.
    #[error("the token or certificate has expired; get a new one")]
    TokenExpired,
    /// The token is not valid yet.
    #[error("the token is not valid yet; send it later, or compare the clocks")]
    TokenNotYetValid,
    /// No issuer in the settings has the name that the token gives.
    #[error("this server does not know the token's issuer")]
    IssuerUnknown,
    /// The keys of the issuer cannot be had at present.
    #[error("the keys of the token's issuer cannot be fetched at present; try again later")]
    IssuerUnavailable,
    /// The token or certificate is good, but it belongs to no system that may act.
    #[error("this server knows no system with this token or certificate")]
    SystemUnknown,
    /// The token is good, but names no person of this ledger, or several.
    #[error("the token names no person of this ledger, or more than one")]
    PersonUnknown,
    /// What says on whose behalf a system acts cannot be read, or contradicts itself.
    #[error("on whose behalf the request comes cannot be told: {0}")]
    OnBehalfOfInvalid(&'static str),
    /// The system may not act on behalf of people, or not name them in a header.
    #[error("this caller may not act on behalf of people, or not name them in a header")]
    OnBehalfOfDenied,
    /// Who is known cannot be read at present. The log says why.
    #[error("who is known to this server cannot be read at present; its log says why")]
    Unreadable,
}
