"""`shicheng mcp`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.root import cli
from cli.state import CommandState
from cli.terminal import print_notice
from graph.messages import Message


@cli.command("mcp")
def mcp_command(
    http: Annotated[
        bool, typer.Option("--http", help="Serve HTTP on loopback, not stdin and stdout.")
    ] = False,
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="Of --http.")] = 8765,
) -> None:
    """Serve the graph to assistants, read only: the Model Context Protocol.

    The role is that of SHICHENG_ROLE. Over HTTP it listens on 127.0.0.1 alone; every account of
    this machine can ask it.

    Example: shicheng mcp
    """
    from graph.analysis.mcp_server import MCP_PATH, build_http_server, build_mcp_server
    from graph.analysis.open_graph import open_graph

    with open_graph(settings=CommandState.settings) as graph:
        if not http:
            sys.stdout.flush()
            build_mcp_server(graph).run()
            return
        server = build_http_server(graph, port)
        print_notice(
            Message("serving MCP at {address}", address=f"http://127.0.0.1:{port}{MCP_PATH}")
        )
        server.run()
