// A Linux machine whose nginx serves HTTPS with keys in an existing Managed HSM. Roles of a Managed HSM
// are not resources of Azure, so the command that assigns them is an output.

@description('Where everything is made.')
param location string = resourceGroup().location

@description('The beginning of all names, and the label of the public address.')
@minLength(3)
@maxLength(11)
param name string = 'akv${take(uniqueString(resourceGroup().id), 8)}'

@description('The name of the Managed HSM.')
param hsmName string

@description('The names of the keys in it, of different types.')
@minLength(1)
param keyNames array

@description('The packages akv and akv-provider: for each, its url and its sha256.')
param packages array

@description('The public key with which the administrator logs in.')
param sshPublicKey string

@description('The addresses that may log in by SSH; empty: nobody.')
param sshSource string = ''

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-identity'
  location: location
}

module machine 'machine.bicep' = {
  name: 'machine'
  params: {
    location: location
    name: name
    identity: identity.name
    keys: [for key in keyNames: 'managedHsm:${hsmName}:${key}']
    packages: packages
    sshPublicKey: sshPublicKey
    sshSource: sshSource
  }
}

output site string = machine.outputs.site

@description('Run these commands as an administrator of the Managed HSM. The machine waits for it.')
output assignRoles array = [for key in keyNames: 'az keyvault role assignment create --hsm-name ${hsmName} --role "Managed HSM Crypto User" --assignee-object-id ${identity.properties.principalId} --assignee-principal-type ServicePrincipal --scope /keys/${key}']
