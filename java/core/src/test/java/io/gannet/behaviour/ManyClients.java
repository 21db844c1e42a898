package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Scanner;

/**
 * Opens many connections and makes a request on each: {@code PORT COUNT}. It writes how many responses were right. For each
 * line it is told it does so again on the same connections; it ends with its input.
 */
final class ManyClients {
    private static final byte[] REQUEST = "GET /many HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(ISO_8859_1);

    private ManyClients() {}

    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        var sockets = new Socket[Integer.parseInt(arguments[1])];
        for (int i = 0; i < sockets.length; i++) {
            sockets[i] = new Socket(InetAddress.getLoopbackAddress(), port);
            sockets[i].setTcpNoDelay(true);
            sockets[i].setSoTimeout(20_000);
        }
        var lines = new Scanner(System.in);
        do {
            for (Socket socket : sockets) {
                socket.getOutputStream().write(REQUEST);
            }
            int right = 0;
            for (Socket socket : sockets) {
                if (endsRight(socket.getInputStream())) {
                    right++;
                }
            }
            System.out.println(right);
        } while (lines.hasNextLine() && lines.nextLine() != null);
    }

    private static boolean endsRight(InputStream input) throws Exception {
        var response = new StringBuilder();
        while (response.indexOf("\r\n\r\nmany") < 0) {
            int octet = input.read();
            if (octet < 0) {
                return false;
            }
            response.append((char) octet);
        }
        return response.indexOf("HTTP/1.1 200 ") == 0;
    }
}
