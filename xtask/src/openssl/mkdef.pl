#! /usr/bin/env perl
# Stands in for OpenSSL's util/mkdef.pl, which the packaged sources leave out: a linker version
# script from a file of ordinals (`NAME ORDINAL VERSION EXIST:PLATFORM:TYPE:FEATURES`), for Linux.
use strict;
use warnings;
use Getopt::Long;

my $ordinals;
GetOptions('ordinals=s' => \$ordinals, map { ("$_=s" => \my $unused) } qw(name version OS type))
    or die "unknown option\n";
open(my $file, '<', $ordinals) or die "$ordinals: $!\n";
my %names;
while (<$file>) {
    my ($name, undef, $version, $info) = split;
    push @{$names{$version}}, $name if defined $info && $info =~ /^EXIST:/;
}
# 3_0_3 sorts before 3_0_12; `*` stands for symbols without a version.
my $key = sub { join '.', map { sprintf '%04d', $_ } grep { /^\d+$/ } split /_/, $_[0] };
my $before = '';
for my $version (sort { $key->($a) cmp $key->($b) } keys %names) {
    (my $tag = $version eq '*' ? '' : "OPENSSL_$version ") =~ s/(?<=\d)_(?=\d)/./g;
    print "$tag\{\n    global:\n", map { "        $_;\n" } @{$names{$version}};
    print "    local: *;\n" if $before eq '';
    print '}', $before eq '' ? '' : " $before", ";\n";
    $before = $tag =~ s/ $//r;
}
