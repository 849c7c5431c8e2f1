// The machine: Debian 12 with nginx, in a network of its own. The identity exists already.

param location string
param name string
param identity string
param keys array
param packages array
param sshPublicKey string
param sshSource string

@description('The size of the machine.')
param size string = 'Standard_B2s'

var site = '${name}.${location}.cloudapp.azure.com'

var webRule = {
  name: 'https'
  properties: {
    priority: 100
    direction: 'Inbound'
    access: 'Allow'
    protocol: 'Tcp'
    sourceAddressPrefix: 'Internet'
    sourcePortRange: '*'
    destinationAddressPrefix: '*'
    destinationPortRange: '443'
  }
}

var sshRule = {
  name: 'ssh'
  properties: {
    priority: 110
    direction: 'Inbound'
    access: 'Allow'
    protocol: 'Tcp'
    sourceAddressPrefix: sshSource
    sourcePortRange: '*'
    destinationAddressPrefix: '*'
    destinationPortRange: '22'
  }
}

// What setup.sh reads; see cloud-init.yaml.
var packageLines = [for package in packages: '${package.sha256} ${package.url}']
var settings = 'SITE="${site}"\nKEYS="${join(keys, ' ')}"\nCLIENT_ID="${managedIdentity.properties.clientId}"\nPACKAGES="${join(packageLines, '\n')}"\n'
var withSettings = replace(loadTextContent('cloud-init.yaml'), '@settings@', base64(settings))
var cloudInit = replace(withSettings, '@setup@', loadFileAsBase64('setup.sh'))

resource managedIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' existing = {
  name: identity
}

resource firewall 'Microsoft.Network/networkSecurityGroups@2023-11-01' = {
  name: '${name}-firewall'
  location: location
  properties: {
    securityRules: empty(sshSource) ? [webRule] : [webRule, sshRule]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2023-11-01' = {
  name: '${name}-network'
  location: location
  properties: {
    addressSpace: {
      addressPrefixes: ['10.0.0.0/24']
    }
    subnets: [
      {
        name: 'machines'
        properties: {
          addressPrefix: '10.0.0.0/24'
          networkSecurityGroup: {
            id: firewall.id
          }
        }
      }
    ]
  }
}

resource address 'Microsoft.Network/publicIPAddresses@2023-11-01' = {
  name: '${name}-address'
  location: location
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
    dnsSettings: {
      domainNameLabel: name
    }
  }
}

resource interface 'Microsoft.Network/networkInterfaces@2023-11-01' = {
  name: '${name}-interface'
  location: location
  properties: {
    ipConfigurations: [
      {
        name: 'main'
        properties: {
          privateIPAllocationMethod: 'Dynamic'
          subnet: {
            id: network.properties.subnets[0].id
          }
          publicIPAddress: {
            id: address.id
          }
        }
      }
    ]
  }
}

resource machine 'Microsoft.Compute/virtualMachines@2024-03-01' = {
  name: '${name}-machine'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${managedIdentity.id}': {}
    }
  }
  properties: {
    hardwareProfile: {
      vmSize: size
    }
    storageProfile: {
      imageReference: {
        publisher: 'Debian'
        offer: 'debian-12'
        sku: '12-gen2'
        version: 'latest'
      }
      osDisk: {
        createOption: 'FromImage'
        managedDisk: {
          storageAccountType: 'StandardSSD_LRS'
        }
      }
    }
    osProfile: {
      computerName: name
      adminUsername: 'akv'
      customData: base64(cloudInit)
      linuxConfiguration: {
        disablePasswordAuthentication: true
        ssh: {
          publicKeys: [
            {
              path: '/home/akv/.ssh/authorized_keys'
              keyData: sshPublicKey
            }
          ]
        }
      }
    }
    networkProfile: {
      networkInterfaces: [
        {
          id: interface.id
        }
      ]
    }
  }
}

output site string = address.properties.dnsSettings.fqdn
