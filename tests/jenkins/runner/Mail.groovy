/** Sends a mail by SMTP, as the Mailer plugin does. */
class Mail {
    static void send(String server, String from, String to, String subject, String body) {
        def (host, port) = server.split(':')
        new Socket(host, port as int).withCloseable { socket ->
            socket.soTimeout = 10_000
            def answers = socket.inputStream.newReader('UTF-8')
            def ask = { String line, String expected ->
                if (line) {
                    socket.outputStream << line + '\r\n'
                }
                String answer = answers.readLine()
                if (!answer?.startsWith(expected)) {
                    throw new Ended(Result.FAILURE, "the mail server says $answer to $line")
                }
            }
            ask '', '220'
            ask 'HELO jenkins', '250'
            ask "MAIL FROM:<$from>", '250'
            ask "RCPT TO:<$to>", '250'
            ask 'DATA', '354'
            def text = body.readLines().collect { it.startsWith('.') ? '.' + it : it }.join('\r\n')
            ask "From: $from\r\nTo: $to\r\nSubject: $subject\r\n\r\n$text\r\n.", '250'
            ask 'QUIT', '221'
        }
    }
}
