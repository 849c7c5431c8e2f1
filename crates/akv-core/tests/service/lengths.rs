//! A result has the length that key and algorithm determine, or it is an error: callers allocate it
//! before the request, whatever the settings.

use std::ops::RangeInclusive;

use akv_core::{
    CbcAlgorithm::{A256Cbc, A256CbcPad},
    EncryptionAlgorithm::{Rsa15, RsaOaep, RsaOaep256},
    Error, ErrorKind,
    GcmAlgorithm::A256Gcm,
    GcmCiphertext,
    KeyWrapAlgorithm::A256Kw,
    SignatureAlgorithm::{Es256, Es256K, Es384, Es512, Ps256, Rs256, RsNull},
    blocking::SymmetricKey,
};
use akv_emulator::{Curve, Emulator, Fault, FaultKind, NewKey, Operation, Persona};

use super::Vault;

const HUGE: usize = 8_000;
const IV: [u8; 16] = [3; 16];

/// An operation, the possible lengths of its result, and a function that runs it and returns the
/// result's length.
struct Case<'a> {
    name: &'static str,
    on: Operation,
    lengths: RangeInclusive<usize>,
    run: Box<dyn Fn() -> Result<usize, Error> + 'a>,
}

impl<'a> Case<'a> {
    fn new(
        name: &'static str,
        on: Operation,
        lengths: RangeInclusive<usize>,
        run: impl Fn() -> Result<usize, Error> + 'a,
    ) -> Self {
        Self { name, on, lengths, run: Box::new(run) }
    }

    /// Empty, short, right, long and huge results. `all_right`: bytes of the right length are
    /// accepted, although they are not a signature.
    fn check(&self, emulator: &Emulator, all_right: bool) {
        let (min, max) = (*self.lengths.start(), *self.lengths.end());
        for length in [0, min.saturating_sub(1), min, max, max + 1, HUGE] {
            emulator.reset_stats();
            let answer = FaultKind::WrongBytes { member: "/value".into(), length, fill: 0x7f };
            emulator.fault(Fault::new(answer).on(self.on).forever());
            let result = (self.run)();
            emulator.clear_faults();
            let name = self.name;
            match result {
                Ok(given) => {
                    assert!(all_right && self.lengths.contains(&length), "{name}: {length} taken");
                    assert_eq!(given, length, "{name}");
                }
                Err(error) if self.lengths.contains(&length) => {
                    assert!(!all_right, "{name}: {length}: {error}");
                    assert_eq!(error.kind(), ErrorKind::Signature, "{name}: {length}: {error}");
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Response, "{name}: {length}: {error}");
                    let text = error.to_string();
                    assert!(text.contains(&format!("{length} bytes")), "{name}: {text}");
                }
            }
            assert_eq!(emulator.stats().operation(self.on), 1, "{name}: no retry");
        }
    }
}

#[test]
fn signatures_of_another_length_are_refused() {
    let vault = Vault::start();
    let create = |key| vault.emulator.create_key(key).map(drop).unwrap();
    create(NewKey::rsa("rsa2048", 2048));
    create(NewKey::rsa("rsa3072", 3072));
    create(NewKey::ec("p256", Curve::P256));
    create(NewKey::ec("p256k", Curve::P256K));
    create(NewKey::ec("p384", Curve::P384));
    for (name, size, algorithms) in [
        ("rsa2048", 256, &[Rs256, Ps256, RsNull][..]),
        ("rsa3072", 384, &[Rs256, Ps256, RsNull]),
        ("p256", 64, &[Es256]),
        ("p256k", 64, &[Es256K]),
        ("p384", 96, &[Es384]),
    ] {
        for verify in ["yes", "no"] {
            let reference = format!("vault:myVault:{name}");
            let key = vault.key(&[("verify-signatures", verify)], &reference).unwrap();
            for algorithm in algorithms {
                let digest = vec![1; algorithm.digest_len().unwrap_or(20)];
                let sign = || key.sign(*algorithm, &digest).map(|signature| signature.len());
                Case::new(algorithm.name(), Operation::Sign, size..=size, sign)
                    .check(&vault.emulator, verify == "no");
            }
        }
    }
}

/// With the high bits set, P-521's numbers take more room in DER than `ECDSA_size` returns.
#[test]
fn numbers_beyond_the_order_of_the_curve_are_refused() {
    let vault = Vault::start();
    for (name, curve, size) in [("p256", Curve::P256, 64), ("p521", Curve::P521, 132)] {
        vault.emulator.create_key(NewKey::ec(name, curve)).unwrap();
        let reference = format!("vault:myVault:{name}");
        let key = vault.key(&[("verify-signatures", "no")], &reference).unwrap();
        let algorithm = if size == 64 { Es256 } else { Es512 };
        let digest = vec![1; algorithm.digest_len().unwrap()];
        for (length, fill) in [(size, 0xff), (size, 0), (size - 1, 0), (size + 1, 0)] {
            let answer = FaultKind::WrongBytes { member: "/value".into(), length, fill };
            vault.emulator.fault(Fault::new(answer).on(Operation::Sign));
            let error = key.sign(algorithm, &digest).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Response, "{error}");
        }
        assert_eq!(key.sign(algorithm, &digest).unwrap().len(), size);
    }
}

#[test]
fn plaintexts_and_wrapped_keys_of_another_length_are_refused() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    for verify in ["yes", "no"] {
        let key = vault.key(&[("verify-signatures", verify)], "vault:myVault:rsa").unwrap();
        for (algorithm, max) in [(Rsa15, 245), (RsaOaep, 214), (RsaOaep256, 190)] {
            let name = algorithm.name();
            let wrap = || key.wrap_key(algorithm, &[1; 16]).map(|wrapped| wrapped.len());
            let ciphertext = key.encrypt(algorithm, b"plain").unwrap();
            let decrypt = || key.decrypt(algorithm, &ciphertext).map(|plain| plain.len());
            let unwrap = || key.unwrap_key(algorithm, &ciphertext).map(|plain| plain.len());
            for case in [
                Case::new(name, Operation::Decrypt, 0..=max, decrypt),
                Case::new(name, Operation::UnwrapKey, 0..=max, unwrap),
                Case::new(name, Operation::WrapKey, 256..=256, wrap),
            ] {
                case.check(&vault.emulator, true);
            }
        }
    }
}

fn symmetric(key: &SymmetricKey) -> Vec<Case<'_>> {
    let wrapped = key.wrap_key(A256Kw, &[1; 32]).unwrap();
    let blocks = key.encrypt(A256Cbc, &IV, &[1; 32]).unwrap();
    let padded = key.encrypt(A256CbcPad, &IV, &[1; 20]).unwrap();
    let sealed = key.seal(A256Gcm, &[1; 20], b"").unwrap();
    let streamed = blocks.clone();
    vec![
        Case::new("A256KW", Operation::WrapKey, 40..=40, || {
            key.wrap_key(A256Kw, &[1; 32]).map(|wrapped| wrapped.len())
        }),
        Case::new("A256KW", Operation::UnwrapKey, 32..=32, move || {
            key.unwrap_key(A256Kw, &wrapped).map(|unwrapped| unwrapped.len())
        }),
        Case::new("A256CBC", Operation::Encrypt, 32..=32, || {
            key.encrypt(A256Cbc, &IV, &[1; 32]).map(|ciphertext| ciphertext.len())
        }),
        Case::new("A256CBC", Operation::Decrypt, 32..=32, move || {
            key.decrypt(A256Cbc, &IV, &blocks).map(|plaintext| plaintext.len())
        }),
        Case::new("A256CBC", Operation::Encrypt, 32..=32, || {
            key.encrypt_stream(A256Cbc, &IV).update(&[1; 40]).map(|done| done.len())
        }),
        Case::new("A256CBC", Operation::Decrypt, 32..=32, move || {
            key.decrypt_stream(A256Cbc, &IV).update(&streamed).map(|done| done.len())
        }),
        Case::new("A256CBCPAD", Operation::Encrypt, 32..=32, || {
            key.encrypt(A256CbcPad, &IV, &[1; 20]).map(|ciphertext| ciphertext.len())
        }),
        Case::new("A256CBCPAD", Operation::Decrypt, 16..=31, move || {
            key.decrypt(A256CbcPad, &IV, &padded).map(|plaintext| plaintext.len())
        }),
        Case::new("A256GCM", Operation::Encrypt, 20..=20, || {
            key.seal(A256Gcm, &[1; 20], b"").map(|sealed| sealed.ciphertext.len())
        }),
        Case::new("A256GCM", Operation::Decrypt, 20..=20, move || {
            key.open(A256Gcm, &sealed, b"").map(|plaintext| plaintext.len())
        }),
    ]
}

#[test]
fn results_of_symmetric_keys_of_another_length_are_refused() {
    let hsm = Vault::of(Persona::ManagedHsm);
    hsm.emulator.create_key(NewKey::oct("aes", 256).hsm(true)).unwrap();
    let client = hsm.client(&[]);
    let key = client.symmetric_key(&client.reference("managedHsm:myHsm:aes").unwrap()).unwrap();
    for case in symmetric(&key) {
        case.check(&hsm.emulator, true);
    }
    for (member, lengths) in [("/iv", [0, 11, 17, HUGE]), ("/tag", [0, 15, 17, HUGE])] {
        for length in lengths {
            let answer = FaultKind::WrongBytes { member: member.into(), length, fill: 1 };
            hsm.emulator.fault(Fault::new(answer).on(Operation::Encrypt));
            let error = key.seal(A256Gcm, b"plain", b"").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Response, "{member}: {length}: {error}");
        }
    }
    let GcmCiphertext { iv, ciphertext, tag } = key.seal(A256Gcm, b"plain", b"").unwrap();
    assert_eq!((ciphertext.len(), tag.len()), (5, 16));
    assert!((12..=16).contains(&iv.len()));
}
