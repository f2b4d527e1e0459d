//! Keys of identity providers, and what is signed with them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};

/// A key of RSA, which takes long to make. It opens nothing anywhere.
const RSA: &[u8] = include_bytes!("rsa.der");

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key with an id.
pub(super) struct Signer {
    pub(super) kid: String,
    pair: Pair,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Signer {
    pub(super) fn p256(kid: &str) -> Self {
        let random = SystemRandom::new();
        let how = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::generate_pkcs8(how, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(how, key.as_ref(), &random).unwrap();
        Self::new(kid, Pair::P256(pair))
    }

    pub(super) fn ed25519(kid: &str) -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap();
        Self::new(kid, Pair::Ed25519(pair))
    }

    pub(super) fn rsa(kid: &str) -> Self {
        Self::new(kid, Pair::Rsa(RsaKeyPair::from_pkcs8(RSA).unwrap()))
    }

    fn new(kid: &str, pair: Pair) -> Self {
        let kid = kid.to_owned();
        Self { kid, pair }
    }

    /// The public half, as a provider shows it.
    pub(super) fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::P256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (base64(&point[1..33]), base64(&point[33..]));
                json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
            }
            Pair::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": base64(pair.public_key())})
            }
            Pair::Rsa(pair) => {
                let key: PublicKeyComponents<Vec<u8>> = pair.public().into();
                json!({"kty": "RSA", "n": base64(key.n), "e": base64(key.e)})
            }
        };
        jwk["kid"] = self.kid.clone().into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// The bytes of the public half.
    pub(super) fn public(&self) -> Vec<u8> {
        match &self.pair {
            Pair::P256(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Rsa(pair) => pair.public().as_ref().to_vec(),
        }
    }

    /// A token that is signed in the usual way for the key.
    pub(super) fn token(&self, claims: &Value) -> String {
        let alg = match &self.pair {
            Pair::P256(_) => "ES256",
            Pair::Ed25519(_) => "EdDSA",
            Pair::Rsa(_) => "RS256",
        };
        self.token_with(json!({"alg": alg, "kid": self.kid, "typ": "JWT"}), claims)
    }

    /// A token with this header.
    pub(super) fn token_with(&self, header: Value, claims: &Value) -> String {
        let pss = header["alg"] == "PS256";
        let said = format!(
            "{}.{}",
            base64(header.to_string()),
            base64(claims.to_string())
        );
        let signature = self.sign(said.as_bytes(), pss);
        format!("{said}.{}", base64(signature))
    }

    fn sign(&self, message: &[u8], pss: bool) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let how: &'static dyn ring::signature::RsaEncoding = match pss {
                    true => &RSA_PSS_SHA256,
                    false => &RSA_PKCS1_SHA256,
                };
                pair.sign(how, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }
}

/// A token that whoever knows `secret` could have made.
pub(super) fn hmac(kid: &str, secret: &[u8], claims: &Value) -> String {
    let header = json!({"alg": "HS256", "kid": kid});
    let said = format!(
        "{}.{}",
        base64(header.to_string()),
        base64(claims.to_string())
    );
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
    let tag = ring::hmac::sign(&key, said.as_bytes());
    format!("{said}.{}", base64(tag))
}

/// A token that nobody signed.
pub(super) fn unsigned(kid: &str, alg: &str, claims: &Value) -> String {
    let header = json!({"alg": alg, "kid": kid});
    format!(
        "{}.{}.",
        base64(header.to_string()),
        base64(claims.to_string())
    )
}
