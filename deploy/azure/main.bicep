// A Linux machine whose nginx serves HTTPS with keys in a new Key Vault.

@description('Where everything is made.')
param location string = resourceGroup().location

@description('The beginning of all names, and the label of the public address.')
@minLength(3)
@maxLength(11)
param name string = 'akv${take(uniqueString(resourceGroup().id), 8)}'

@description('premium keeps the keys in an HSM; standard has keys in software.')
@allowed(['standard', 'premium'])
param vaultTier string = 'standard'

@description('The packages akv and akv-provider: for each, its url and its sha256.')
param packages array

@description('The public key with which the administrator logs in.')
param sshPublicKey string

@description('The addresses that may log in by SSH; empty: nobody.')
param sshSource string = ''

var hsm = vaultTier == 'premium' ? '-HSM' : ''

// Key Vault Crypto User
var cryptoUser = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '12338af0-0e69-4776-bea7-57ae8d297424')

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-identity'
  location: location
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: '${name}-vault'
  location: location
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: vaultTier
    }
    enableRbacAuthorization: true
    softDeleteRetentionInDays: 7
  }
}

resource rsaKey 'Microsoft.KeyVault/vaults/keys@2023-07-01' = {
  parent: vault
  name: 'web-rsa'
  properties: {
    kty: 'RSA${hsm}'
    keySize: 2048
    keyOps: ['sign', 'verify']
  }
}

resource ecKey 'Microsoft.KeyVault/vaults/keys@2023-07-01' = {
  parent: vault
  name: 'web-ec'
  properties: {
    kty: 'EC${hsm}'
    curveName: 'P-256'
    keyOps: ['sign', 'verify']
  }
}

// The identity may use these two keys and nothing else of the vault.
resource useRsaKey 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: rsaKey
  name: guid(rsaKey.id, identity.id, cryptoUser)
  properties: {
    roleDefinitionId: cryptoUser
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource useEcKey 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: ecKey
  name: guid(ecKey.id, identity.id, cryptoUser)
  properties: {
    roleDefinitionId: cryptoUser
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

module machine 'machine.bicep' = {
  name: 'machine'
  params: {
    location: location
    name: name
    identity: identity.name
    keys: ['vault:${vault.name}:${rsaKey.name}', 'vault:${vault.name}:${ecKey.name}']
    packages: packages
    sshPublicKey: sshPublicKey
    sshSource: sshSource
  }
}

output site string = machine.outputs.site
output vault string = vault.name
