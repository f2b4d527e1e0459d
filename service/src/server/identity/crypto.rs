//! Checks the signatures of tokens with `ring`. Nothing here can sign, and no kind of signature can
//! be checked for which one secret both signs and checks.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{Error as SignatureError, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};

/// What checks signatures in this process.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: no_signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes `ring` the one that checks signatures of tokens in this process. It does nothing the second
/// time.
pub(super) fn install() {
    let _ = PROVIDER.install_default();
}

fn no_signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    let check = match (algorithm, key.kind()) {
        (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            Check::rsa(&RSA_PKCS1_2048_8192_SHA256, n, e)
        }
        (Algorithm::PS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            Check::rsa(&RSA_PSS_2048_8192_SHA256, n, e)
        }
        (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
            Check::plain(&ECDSA_P256_SHA256_FIXED, point)
        }
        (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(point)) => Check::plain(&ED25519, point),
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    };
    Ok(Box::new(Ring {
        algorithm: *algorithm,
        check,
    }))
}

/// A public key, with what checks signatures made with the other half of it.
enum Check {
    Rsa(&'static RsaParameters, RsaPublicKeyComponents<Vec<u8>>),
    Plain(UnparsedPublicKey<Vec<u8>>),
}

impl Check {
    fn rsa(parameters: &'static RsaParameters, n: &[u8], e: &[u8]) -> Self {
        let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
        Self::Rsa(parameters, RsaPublicKeyComponents { n, e })
    }

    fn plain(algorithm: &'static dyn VerificationAlgorithm, point: &[u8]) -> Self {
        Self::Plain(UnparsedPublicKey::new(algorithm, point.to_vec()))
    }
}

/// `ring` takes numbers without leading zeros only; some providers write one.
fn without_leading_zeros(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.iter().skip(zeros).copied().collect()
}

struct Ring {
    algorithm: Algorithm,
    check: Check,
}

impl Verifier<Vec<u8>> for Ring {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        match &self.check {
            Check::Rsa(parameters, key) => key.verify(parameters, message, signature),
            Check::Plain(key) => key.verify(message, signature),
        }
        .map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for Ring {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
