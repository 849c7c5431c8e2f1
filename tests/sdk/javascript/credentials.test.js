// Every way to a token, with a vault and a Managed HSM, whose challenges the clients check.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, describe, test } from "node:test";

import {
  ChainedTokenCredential,
  ClientAssertionCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  DefaultAzureCredential,
  EnvironmentCredential,
  ManagedIdentityCredential,
  WorkloadIdentityCredential,
} from "@azure/identity";
import { KeyClient } from "@azure/keyvault-keys";

import { all, certificate, credential, newName, scene } from "./scene.js";

const { tenant, client, secret, federatedTokenFile } = scene.application;
const whom = [tenant, client];
const ELSEWHERE = "00000000-1111-4222-8333-444444444444";
const application = { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client };

const WAYS = {
  "client secret": () => new ClientSecretCredential(...whom, secret),
  "client certificate in pem": () =>
    new ClientCertificateCredential(...whom, certificate("application", "pem")),
  "client certificate with its chain": () =>
    new ClientCertificateCredential(...whom, certificate("application", "pem"), {
      sendCertificateChain: true,
    }),
  "client assertion": () =>
    new ClientAssertionCredential(...whom, async () => readFileSync(federatedTokenFile, "utf8")),
  "workload identity": () => {
    set({ ...application, AZURE_FEDERATED_TOKEN_FILE: federatedTokenFile });
    return new WorkloadIdentityCredential();
  },
  "managed identity of a virtual machine": () => new ManagedIdentityCredential(),
  "user assigned identity of a virtual machine": () =>
    new ManagedIdentityCredential({ clientId: client }),
  "managed identity in app service": () => {
    set(scene.appService);
    return new ManagedIdentityCredential();
  },
  "managed identity of azure arc": () => {
    set(scene.arc);
    return new ManagedIdentityCredential();
  },
  environment: () => {
    set({ ...application, AZURE_CLIENT_SECRET: secret });
    return new EnvironmentCredential();
  },
  "default with a secret": () => {
    set({ ...application, AZURE_CLIENT_SECRET: secret });
    return new DefaultAzureCredential();
  },
  "default on a virtual machine": () => new DefaultAzureCredential(),
  "a chain": () =>
    new ChainedTokenCredential(new EnvironmentCredential(), WAYS["client secret"]()),
};

const before = { ...process.env };

function set(variables) {
  Object.assign(process.env, variables);
}

/** What a client tells when it gets no token. */
async function refused(credential) {
  const error = await new KeyClient(scene.vault, credential).getKey("any").catch((error) => error);
  assert.match(error.name, /^Authentication(Required)?Error$/, error.message);
  return error.message;
}

describe("credentials", () => {
  afterEach(() => {
    for (const name of Object.keys(process.env)) {
      if (!(name in before)) delete process.env[name];
    }
  });

  for (const [way, make] of Object.entries(WAYS)) {
    for (const service of ["vault", "hsm"]) {
      test(`a way to a token [${way}-${service}]`, async () => {
        const client = new KeyClient(scene[service], make());
        const made = await client.createEcKey(newName());
        assert.equal((await client.getKey(made.name)).id, made.id);
      });
    }
  }

  test("a wrong secret", async () => {
    const message = await refused(new ClientSecretCredential(...whom, "wrong"));
    assert.match(message, /AADSTS7000215/);
  });

  test("a certificate that is not registered", async () => {
    const other = new ClientCertificateCredential(...whom, certificate("rsa", "pem"));
    assert.match(await refused(other), /AADSTS700027/);
  });

  test("a tenant that there is not", async () => {
    const other = new ClientSecretCredential(ELSEWHERE, client, secret);
    await assert.rejects(other.getToken("https://vault.azure.net/.default"));
  });

  test("the tenant of the challenge is asked", async () => {
    // The credential's own tenant is another: the vault's 401 tells the right one.
    const options = { additionallyAllowedTenants: [tenant] };
    const other = new ClientSecretCredential(ELSEWHERE, client, secret, options);
    assert.ok((await all(new KeyClient(scene.vault, other).listPropertiesOfKeys())).length > 0);
  });

  test("a challenge for another service is not answered", async () => {
    // A host that is no vault must not get a vault's token unless the caller permits it.
    const list = (options) =>
      all(new KeyClient("https://localhost", credential, options).listPropertiesOfKeys());
    await assert.rejects(list(), /does not match the requested domain/);
    await list({ disableChallengeResourceVerification: true });
  });
});
