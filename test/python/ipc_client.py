"""A client of claude-ipc's protocol, written from its description, with Python's standard library alone.

As its own clients do: one connection for each request, json.dumps with the defaults, one recv, json.loads, close; the connection is never half closed.
Reads commands from standard input, one JSON object a line, and answers each with one line:

    {"request": {...}}                      -> {"reply": {...}, "raw": "..."}    or {"error": "..."}
    {"request": {...}, "recv": 1024}        reads so much at most (default 65536)
    {"request": {...}, "reads": "all"}      reads until the reply is a whole object
    {"request": {...}, "cut": [10, 500]}    sends in pieces that end at these bytes
    {"request": {...}, "half_close": true}  shuts its sending side down before it reads until the end
    {"request": {...}, "leave": true}       closes without reading
    {"raw": "text"} | {"bytes": "hex"}      sends that in the place of a request
    {"register": "fox"}                     registers, and keeps the token for "as"
    {"as": "fox", "request": {...}}         adds fox's session token
"""

import hashlib
import json
import os
import socket
import sys

HOST = "127.0.0.1"
TIMEOUT_SECONDS = 5


class Client:
    def __init__(self, port, secret):
        self.port = port
        self.secret = secret
        self.tokens = {}

    def register(self, name):
        proof = hashlib.sha256(f"{name}:{self.secret}".encode()).hexdigest() if self.secret else ""
        outcome = self.talk({"request": {"action": "register", "instance_id": name, "auth_token": proof}})
        token = outcome.get("reply", {}).get("session_token")
        if token:
            self.tokens[name] = token
        return outcome

    def talk(self, command):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
            connection.settimeout(TIMEOUT_SECONDS)
            connection.connect((HOST, self.port))
            self.send(connection, self.body(command), command.get("cut", []))
            if command.get("leave"):
                return {"left": True}
            if command.get("half_close"):
                connection.shutdown(socket.SHUT_WR)
                raw = self.until_end(connection)
            elif command.get("reads") == "all":
                raw = self.until_whole(connection)
            else:
                raw = connection.recv(command.get("recv", 65536))
        text = raw.decode("utf-8")
        return {"reply": json.loads(text), "raw": text}

    def body(self, command):
        if "bytes" in command:
            return bytes.fromhex(command["bytes"])
        if "raw" in command:
            return command["raw"].encode("utf-8")
        request = dict(command["request"])
        if "as" in command:
            request["session_token"] = self.tokens.get(command["as"], "")
        return json.dumps(request).encode("utf-8")

    def send(self, connection, body, cuts):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begin = 0
        for end in [*cuts, len(body)]:
            connection.sendall(body[begin:end])
            begin = end

    def until_end(self, connection):
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
        return b"".join(parts)

    def until_whole(self, connection):
        whole = b""
        while part := connection.recv(65536):
            whole += part
            try:
                json.loads(whole)
                break
            except ValueError:
                continue
        return whole


def main():
    client = Client(int(sys.argv[1]), os.environ.get("IPC_SHARED_SECRET", ""))
    for line in sys.stdin:
        command = json.loads(line)
        try:
            outcome = client.register(command["register"]) if "register" in command else client.talk(command)
        except (OSError, ValueError) as error:
            outcome = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
