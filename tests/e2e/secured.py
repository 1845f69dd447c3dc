"""A broker that asks who one is: TLS, mTLS and SASL, an authorizer, and certificates of its own."""

import os
import socket
import struct
import subprocess

from buses import Broker, KafkaBus, kafka_call, text

USERS = ["theatre", "t-shows", "t-reservations", "t-checkout", "t-edge", "t-paydesk", "t-tools"]
DOORS = ["SASL", "TLS", "MTLS"]
CREATE_ACLS = (30, 1)
TOPIC, GROUP, CLUSTER = 2, 3, 4
OPERATIONS = {"Read": 3, "Write": 4, "Describe": 8, "DescribeConfigs": 10, "IdempotentWrite": 12}
LITERAL, ALLOW = 3, 3

PROPERTIES = """
listeners=PLAINTEXT://localhost:@PORT@,CONTROLLER://localhost:@CONTROLLER_PORT@,{doors}
advertised.listeners=PLAINTEXT://localhost:@PORT@,{doors}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_SSL,TLS:SSL,MTLS:SSL
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.crt
listener.name.mtls.ssl.client.auth=required
listener.name.mtls.ssl.principal.mapping.rules=RULE:^CN=(.*)$/$1/
listener.name.sasl.sasl.enabled.mechanisms=SCRAM-SHA-256,PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required {plain};
listener.name.sasl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:theatre
"""


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=30)


def make_authority(folder, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt", "-days", "2",
            "-subj", f"/CN={name}")


def make_certificate(folder, name):
    """Of `ca`; NAME.key, NAME.crt, and both in NAME.pem."""
    request, extra = folder / f"{name}.csr", folder / f"{name}.ext"
    extra.write_text("subjectAltName=DNS:localhost")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            folder / f"{name}.key", "-out", request, "-subj", f"/CN={name}")
    openssl("x509", "-req", "-in", request, "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", extra, "-out", folder / f"{name}.crt")
    (folder / f"{name}.pem").write_text((folder / f"{name}.key").read_text()
                                        + (folder / f"{name}.crt").read_text())


def free_ports(count):
    """Open together, so that they differ; below the ephemeral range as kafka.sh has it."""
    held, port = [], 20000 + os.getpid() * 7 % 11000
    while len(held) < count:
        port += 1
        one = socket.socket()
        try:
            one.bind(("localhost", port))
            held.append(one)
        except OSError:
            one.close()
    found = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return found


class SecuredBroker(Broker):
    def __init__(self, folder):
        folder.mkdir(parents=True)
        for name in ("ca", "stranger"):
            make_authority(folder, name)
        for name in ("broker", "theatre"):
            make_certificate(folder, name)
        self.doors = dict(zip(DOORS, free_ports(len(DOORS))))
        more = folder / "more.properties"
        more.write_text(PROPERTIES.format(folder=folder, plain=" ".join(
            f'user_{name}="of-{name}"' for name in USERS), doors=",".join(
            f"{name}://localhost:{port}" for name, port in self.doors.items())))
        super().__init__(folder, KAFKA_MORE=str(more), KAFKA_FORMAT=" ".join(
            f"--add-scram SCRAM-SHA-256=[name={name},password=of-{name}]" for name in USERS))

    def trust(self, authority="ca"):
        return {"security.protocol": "ssl",
                "ssl.ca.location": str(self.folder / f"{authority}.crt")}

    def certificate(self):
        return {**self.trust(), "ssl.certificate.location": str(self.folder / "theatre.crt"),
                "ssl.key.location": str(self.folder / "theatre.key")}

    def user(self, name, mechanism="PLAIN"):
        return {**self.trust(), "security.protocol": "sasl_ssl", "sasl.mechanism": mechanism,
                "sasl.username": name, "sasl.password": f"of-{name}"}

    def allow(self, principal, operation, resource, name):
        """One rule of the authorizer."""
        body = struct.pack(">ib", 1, resource) + text(name) + struct.pack(">b", LITERAL)
        body += text(principal) + text("*") + struct.pack(">bb", OPERATIONS[operation], ALLOW)
        answer = kafka_call(self.address, CREATE_ACLS, body)
        assert struct.unpack_from(">h", answer, 8)[0] == 0, answer


class SecuredBus(KafkaBus):
    """Through one of the doors; behind Stagedoor's back it is read through the open one."""

    def __init__(self, broker, door, properties):
        super().__init__(broker)
        self.url = f"kafka://localhost:{broker.doors[door]}"
        self.arguments = ["--bus", self.url, "--topic-prefix", self.prefix]
        for name, value in properties.items():
            self.arguments += ["-X", f"{name}={value}"]
