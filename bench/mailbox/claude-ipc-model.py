"""A model of claude-ipc-mcp's broker, written from the description of its wire: a thread for each connection, one request a connection, one recv of
4096 bytes, a queue in memory, and a row in SQLite (rollback journal, a connection each time). Without its limit of 100 requests a minute."""

import json
import socket
import sqlite3
import sys
import threading

port, path = int(sys.argv[1]), sys.argv[2]
queues = {}
lock = threading.Lock()
database = sqlite3.connect(path)
database.execute("create table messages (from_id text, to_id text, content text, read_flag integer default 0)")
database.commit()
database.close()


def store(sender, recipient, content):
    connection = sqlite3.connect(path)
    connection.execute("insert into messages (from_id, to_id, content) values (?, ?, ?)", (sender, recipient, content))
    connection.commit()
    connection.close()


def answer(client):
    request = json.loads(client.recv(4096).decode())
    with lock:
        queues.setdefault(request["to_id"], []).append(request["message"])
        store(request["from_id"], request["to_id"], json.dumps(request["message"]))
    client.send(json.dumps({"status": "ok", "message": "Message sent"}).encode())
    client.close()


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen(5)
while True:
    accepted, _ = listener.accept()
    threading.Thread(target=answer, args=(accepted,), daemon=True).start()
