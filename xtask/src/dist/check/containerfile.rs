//! The part of a Containerfile's language that ours use.

use anyhow::{Context as _, Result, bail, ensure};

/// One step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    From(String),
    /// Patterns of files, and where they go.
    Copy(Vec<String>, String),
    /// A line for the shell.
    Run(String),
    Env(String, String),
    User(String),
    Volume(String),
    Expose(u16),
}

/// The steps, and the program of the container with its arguments.
#[derive(Debug)]
pub(super) struct Containerfile {
    pub(super) steps: Vec<Step>,
    pub(super) program: Vec<String>,
}

impl Containerfile {
    /// # Errors
    /// The file has something that is not understood here, no first `FROM`, or no program.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let (mut steps, mut entry, mut command) = (Vec::new(), Vec::new(), Vec::new());
        for line in lines(text) {
            let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let rest = rest.trim();
            steps.push(match word {
                "FROM" => Step::From(rest.to_owned()),
                "COPY" => copy(rest).with_context(|| line.clone())?,
                "RUN" => Step::Run(rest.to_owned()),
                "ENV" => {
                    let (name, value) = rest.split_once('=').with_context(|| line.clone())?;
                    Step::Env(name.to_owned(), value.to_owned())
                }
                "USER" => Step::User(rest.to_owned()),
                "VOLUME" => Step::Volume(rest.to_owned()),
                "EXPOSE" => Step::Expose(rest.parse().with_context(|| line.clone())?),
                "ENTRYPOINT" | "CMD" => {
                    let words = serde_json::from_str(rest).with_context(|| line.clone())?;
                    if word == "CMD" {
                        command = words
                    } else {
                        entry = words
                    }
                    continue;
                }
                _ => bail!("not understood: {line}"),
            });
        }
        ensure!(matches!(steps.first(), Some(Step::From(_))), "it does not begin with FROM");
        ensure!(!(entry.is_empty() && command.is_empty()), "no ENTRYPOINT and no CMD");
        Ok(Self { steps, program: [entry, command].concat() })
    }
}

/// Lines without comments; those that end in a backslash go on in the next one.
fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: Option<String> = None;
    let all = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in all {
        let line = open.take().unwrap_or_default() + line;
        match line.strip_suffix('\\') {
            Some(start) => open = Some(start.to_owned()),
            None => lines.push(line),
        }
    }
    lines.extend(open);
    lines
}

fn copy(rest: &str) -> Result<Step> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let (to, from) = words.split_last().context("nothing to copy")?;
    ensure!(!from.is_empty(), "no place to copy to");
    ensure!(!from.iter().any(|word| word.starts_with("--")), "options are not understood");
    Ok(Step::Copy(from.iter().map(|word| (*word).to_owned()).collect(), (*to).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_program_are_read() {
        let text = "# A comment.\nFROM debian:x\nCOPY a_*.deb b.deb /tmp/\nRUN one \\\n  && two\n\
            ENV A=b=c\n\nUSER me\nEXPOSE 8443\nENTRYPOINT [\"x\", \\\n  \"y z\"]\nCMD [\"--k\"]\n";
        let file = Containerfile::parse(text).unwrap();
        assert_eq!(
            file.steps,
            [
                Step::From("debian:x".into()),
                Step::Copy(vec!["a_*.deb".into(), "b.deb".into()], "/tmp/".into()),
                Step::Run("one && two".into()),
                Step::Env("A".into(), "b=c".into()),
                Step::User("me".into()),
                Step::Expose(8443),
            ]
        );
        assert_eq!(file.program, ["x", "y z", "--k"]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let start = "FROM debian:x\nCMD [\"x\"]\n";
        Containerfile::parse(start).unwrap();
        for more in ["ADD a b", "COPY --from=x a b", "COPY a", "CMD x", "EXPOSE x", "ENV A"] {
            Containerfile::parse(&format!("{start}{more}\n")).unwrap_err();
        }
        Containerfile::parse("RUN x\nCMD [\"x\"]\n").unwrap_err();
        Containerfile::parse("FROM debian:x\n").unwrap_err();
    }
}
