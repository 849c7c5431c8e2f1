use super::*;

fn from(variables: &[(&str, &str)]) -> Result<Settings> {
    Settings::builder()
        .environment_from(|name| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value))
        })
        .build()
}

#[test]
fn the_environment_overrides_the_file_and_empty_values_unset() {
    let settings = Settings::builder()
        .option("timeout", "3s")
        .unwrap()
        .option("cloud", "china")
        .unwrap()
        .environment_from(|name| match name {
            "AKV_TIMEOUT" => Some("500ms".into()),
            "AKV_CLOUD" => Some("".into()),
            _ => None,
        })
        .build()
        .unwrap();
    assert_eq!(settings.timeout(), Duration::from_millis(500));
    assert_eq!(settings.cloud(), crate::Cloud::China);
}

#[test]
fn the_environment_overrides_the_file_in_any_order() {
    let builder = Settings::builder()
        .environment_from(|name| (name == "AKV_TIMEOUT").then(|| "500ms".into()))
        .option("timeout", "3s")
        .unwrap()
        .option("cloud", "china")
        .unwrap();
    let settings = builder.clone().build().unwrap();
    assert_eq!(settings.timeout(), Duration::from_millis(500));
    assert_eq!(settings.cloud(), crate::Cloud::China);
    let unset = builder.option("cloud", "").unwrap().build().unwrap();
    assert_eq!(unset.cloud(), crate::Cloud::Public);
}

#[test]
fn arguments_override_and_every_setting_has_its_origin() {
    let settings = Settings::builder()
        .environment_from(|name| match name {
            "AKV_TIMEOUT" => Some("500ms".into()),
            "AKV_CLOUD" => Some("china".into()),
            "AZURE_CLI_ACCESS_TOKEN" => Some("token".into()),
            _ => None,
        })
        .argument("timeout", "2s")
        .unwrap()
        .option("warm", "yes")
        .unwrap()
        .argument("access-token-file", "/no/such/file")
        .unwrap()
        .build()
        .unwrap();
    assert_eq!(settings.timeout(), Duration::from_secs(2));
    assert_eq!(settings.values().access_token_file, Some(PathBuf::from("/no/such/file")));
    let found: Vec<_> = settings
        .in_force()
        .into_iter()
        .map(|setting| (setting.name, setting.value.unwrap_or_default(), setting.origin))
        .collect();
    for expected in [
        ("timeout", "2s", Origin::Argument),
        ("cloud", "china", Origin::Environment("AKV_CLOUD")),
        ("warm", "yes", Origin::File),
        ("credential", "auto", Origin::Default),
        ("endpoint", "", Origin::Default),
    ] {
        let expected = (expected.0, expected.1.to_owned(), expected.2);
        assert!(found.contains(&expected), "{expected:?} in {found:?}");
    }
    assert_eq!(found.len(), OPTIONS.len());
    let error = Settings::builder().argument("timeout", "soon").unwrap().build().unwrap_err();
    assert!(error.to_string().contains("--timeout"), "{error}");
}

#[test]
fn documented_defaults_are_in_force() {
    let explicit = OPTIONS.iter().filter_map(|option| Some((option.name, option.default?)));
    let explicit = explicit
        .fold(Settings::builder(), |builder, (name, value)| builder.option(name, value).unwrap());
    let (explicit, bare) = (explicit.build().unwrap(), Settings::builder().build().unwrap());
    let (explicit, bare) = (explicit.values(), bare.values());
    assert_eq!(explicit.timeout, bare.timeout);
    assert_eq!((explicit.credential, explicit.hosts.cloud), (bare.credential, bare.hosts.cloud));
    assert_eq!((explicit.max_concurrency, explicit.warm), (bare.max_concurrency, bare.warm));
    assert_eq!(explicit.rsa_key_exchange, bare.rsa_key_exchange);
    assert_eq!(explicit.fail_fast, bare.fail_fast);
    assert_eq!((explicit.verify_signatures, explicit.fips), (bare.verify_signatures, bare.fips));
}

#[test]
fn errors_name_the_setting_and_the_reason() {
    for (variable, value, reason) in [
        ("AKV_TIMEOUT", "soon", "expected a duration"),
        ("AKV_CREDENTIAL", "guess", "expected one of auto"),
        ("AKV_ENDPOINT", "http://127.0.0.1", "expected an https URL"),
        ("AKV_MAX_CONCURRENCY", "0", "expected a number"),
        ("AKV_HEDGE_AFTER", "0", "more than zero"),
        ("AKV_CA_FILE", "/nonexistent/ca.pem", "cannot be read"),
    ] {
        let text = from(&[(variable, value)]).unwrap_err().to_string();
        assert!(text.contains(variable) && text.contains(reason), "{text}");
    }
    assert!(Settings::builder().option("colour", "red").is_err());
}

#[test]
fn an_invalid_certificate_affects_only_its_credential() {
    let bad = ("AZURE_CLIENT_CERTIFICATE_PATH", "/nonexistent/app.pem");
    let settings = from(&[bad]).unwrap();
    let Some(Err(error)) = &settings.values().client_certificate else { panic!("no error") };
    let text = error.to_string();
    assert!(text.contains(bad.0) && text.contains(bad.1), "{text}");
    assert!(text.contains("cannot be read"), "{text}");
}

#[test]
fn debug_output_contains_no_secret() {
    let variables = [
        (TOKEN, "s3cret-token"),
        (SECRET, "s3cret"),
        (CERTIFICATE_PASSWORD, "s3cret"),
        ("IDENTITY_HEADER", "s3cret"),
    ];
    let read = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
    };
    assert!(!format!("{:?}", Settings::builder().environment_from(read)).contains("s3cret"));
    let settings = from(&variables).unwrap();
    assert!(settings.values().access_token.is_some());
    assert!(!format!("{settings:?}").contains("s3cret"));
}
