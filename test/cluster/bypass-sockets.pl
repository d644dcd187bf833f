# Run inside a pod: perl bypass-sockets.pl UID GID ADDRESS. Tries what Node cannot: other kinds of sockets, and becoming
# the guard. Prints a JSON object: what each try met.
use strict;
use warnings;
use Errno;
use POSIX ();
use Socket;

my ($uid, $gid, $address) = @ARGV;
my %met;

# The name of the error, or the word for success.
sub met {
    my ($name, $ok) = @_;
    my ($code) = grep { $!{$_} } qw(EPERM EACCES EPROTONOSUPPORT ESOCKTNOSUPPORT EAFNOSUPPORT ECONNREFUSED EINVAL ENETUNREACH);
    $met{$name} = $ok ? 'done' : ($code // "errno " . ($! + 0));
}

sub try_socket { my ($name, @kind) = @_; met($name, socket(my $socket, $kind[0], $kind[1], $kind[2])) }

try_socket('raw tcp', AF_INET, SOCK_RAW, 6);
try_socket('raw icmp', AF_INET, SOCK_RAW, 1);
try_socket('raw header', AF_INET, SOCK_RAW, 255);
try_socket('packet', 17, SOCK_RAW, 0x0300);
try_socket('packet datagram', 17, SOCK_DGRAM, 0x0300);
try_socket('xdp', 44, SOCK_RAW, 0);
try_socket('vsock', 40, SOCK_STREAM, 0);
try_socket('ping', AF_INET, SOCK_DGRAM, 1);

# Datagrams that are not UDP to a packet filter: UDP-Lite, and SCTP and DCCP where the kernel has them.
for my $other (['udplite', SOCK_DGRAM, 136], ['sctp', SOCK_STREAM, 132], ['dccp', 6, 33]) {
    my ($name, $type, $protocol) = @$other;
    my $socket;
    if (!socket($socket, AF_INET, $type, $protocol)) { met($name, 0); next }
    local $SIG{ALRM} = sub { };
    alarm 2;
    met($name, connect($socket, sockaddr_in(443, inet_aton($address))) && send($socket, 'probe', 0));
    alarm 0;
}

# Multipath TCP speaks TCP on the wire, on sockets that the kernel makes by itself.
if (socket(my $socket, AF_INET, SOCK_STREAM, 262)) {
    my $connected = connect($socket, sockaddr_in(22, inet_aton($address)));
    syswrite $socket, "SSH-2.0-probe\r\n" if $connected;
    my $read = $connected ? sysread($socket, my $bytes, 100) : undef;
    $met{mptcp} = defined $read && $read > 0 ? "read $bytes" : 'nothing';
} else { met('mptcp', 0) }

met('setuid', POSIX::setuid($uid));
met('setgid', POSIX::setgid($gid));
{
    local $! = 0;
    $) = "$gid $gid";
    $met{groups} = (split ' ', $))[0] == $gid ? 'done' : 'refused';
}
$met{uid} = "$<";

print '{', join(',', map { "\"$_\":\"$met{$_}\"" } sort keys %met), "}\n";
