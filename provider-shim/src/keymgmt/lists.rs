//! Parameter lists: what can be queried, imported and exported.

use ossl_abi::names;
use ossl_abi::types::{DataType, Param};

pub(super) static RSA_ATTRIBUTES: &[Param] = &[
    Param::describe(names::BITS, DataType::Integer),
    Param::describe(names::SECURITY_BITS, DataType::Integer),
    Param::describe(names::SECURITY_CATEGORY, DataType::Integer),
    Param::describe(names::MAX_SIZE, DataType::Integer),
    Param::describe(names::DEFAULT_DIGEST, DataType::Utf8String),
    Param::describe(names::RSA_N, DataType::UnsignedInteger),
    Param::describe(names::RSA_E, DataType::UnsignedInteger),
    Param::END,
];

pub(super) static EC_ATTRIBUTES: &[Param] = &[
    Param::describe(names::BITS, DataType::Integer),
    Param::describe(names::SECURITY_BITS, DataType::Integer),
    Param::describe(names::SECURITY_CATEGORY, DataType::Integer),
    Param::describe(names::MAX_SIZE, DataType::Integer),
    Param::describe(names::DEFAULT_DIGEST, DataType::Utf8String),
    Param::describe(names::GROUP_NAME, DataType::Utf8String),
    Param::describe(names::EC_ENCODING, DataType::Utf8String),
    Param::describe(names::EC_POINT_FORMAT, DataType::Utf8String),
    Param::describe(names::EC_FIELD_TYPE, DataType::Utf8String),
    Param::describe(names::EC_FIELD_DEGREE, DataType::Integer),
    Param::describe(names::EC_P, DataType::UnsignedInteger),
    Param::describe(names::EC_A, DataType::UnsignedInteger),
    Param::describe(names::EC_B, DataType::UnsignedInteger),
    Param::describe(names::EC_GENERATOR, DataType::OctetString),
    Param::describe(names::EC_ORDER, DataType::UnsignedInteger),
    Param::describe(names::EC_COFACTOR, DataType::UnsignedInteger),
    Param::describe(names::EC_SEED, DataType::OctetString),
    Param::describe(names::EC_INCLUDE_PUBLIC, DataType::Integer),
    Param::describe(names::USE_COFACTOR, DataType::Integer),
    Param::describe(names::EC_DECODED_FROM_EXPLICIT, DataType::Integer),
    Param::describe(names::ENCODED_PUBLIC_KEY, DataType::OctetString),
    Param::describe(names::PUB_KEY, DataType::OctetString),
    Param::describe(names::EC_PUB_X, DataType::UnsignedInteger),
    Param::describe(names::EC_PUB_Y, DataType::UnsignedInteger),
    Param::END,
];

pub(super) static RSA_SETTABLE: &[Param] = &[Param::END];

/// The public half of a group.
pub(super) static EC_SETTABLE: &[Param] =
    &[Param::describe(names::ENCODED_PUBLIC_KEY, DataType::OctetString), Param::END];

pub(super) static RSA_PUBLIC: &[Param] = &[
    Param::describe(names::RSA_N, DataType::UnsignedInteger),
    Param::describe(names::RSA_E, DataType::UnsignedInteger),
    Param::END,
];

pub(super) static EC_PUBLIC: &[Param] = &[
    Param::describe(names::GROUP_NAME, DataType::Utf8String),
    Param::describe(names::EC_ENCODING, DataType::Utf8String),
    Param::describe(names::EC_POINT_FORMAT, DataType::Utf8String),
    Param::describe(names::PUB_KEY, DataType::OctetString),
    Param::END,
];
